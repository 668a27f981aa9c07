"""What a machine can say about answers: what is there and what is open. Depth is never scored."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pcn_course.answers.store import Field
from pcn_course.course import Prompt, Step


class Part(msgspec.Struct, frozen=True):
    """One structure point: what was earned, and the labels of the prompts that are open."""

    says: str
    points: float
    out_of: float
    missing: tuple[str, ...] = ()


class Checked(msgspec.Struct, frozen=True):
    """The structure of a step's answers. ``covered``: another process meets the step's aim."""

    points: float
    out_of: float
    parts: tuple[Part, ...]
    covered: bool
    answered: int
    open: tuple[Prompt, ...]


def check(step: Step, fields: Mapping[str, Field]) -> Checked:
    """Check which required prompts have an answer, and what structure points that gives.

    A point is given whole when all of its prompts are answered; the number of words plays no part.
    When the student shows that another process covers the step (all prompts in ``step.covered``),
    all structure points are given.
    """

    def is_open(prompt: Prompt | None) -> bool:
        if prompt is None:
            return False
        field = fields.get(prompt.key)
        value = field.value if field else None
        return prompt.is_empty(value) or prompt.fault(value) is not None

    covered = bool(step.covered) and not any(is_open(step.prompt(key)) for key in step.covered)
    parts = []
    for point in step.structure:
        prompts = [step.prompt(key) for key in point.prompts]
        missing = tuple(prompt.label for prompt in prompts if prompt and is_open(prompt))
        earned = point.points if covered or not missing else 0.0
        parts.append(Part(point.says, earned, point.points, () if covered else missing))
    still_open = tuple(prompt for prompt in step.required if is_open(prompt))
    return Checked(
        points=float(sum(part.points for part in parts)),
        out_of=float(sum(part.out_of for part in parts)),
        parts=tuple(parts),
        covered=covered,
        answered=len(step.required) - len(still_open),
        open=still_open,
    )
