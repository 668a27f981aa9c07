"""How second marking is told, in a terminal and on a page: names, figures, words, a table.

All figures are text here, with two decimals, as in the words beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pcn_course.course import Course, Criterion
from pcn_course.grading.agreement import Agreement, Figure, describe
from pcn_course.grading.cohort import csv_bytes
from pcn_course.grading.second import Drift, Twice, agreements

FIGURES = {
    "exact": "The same points, share",
    "adjacent": "One point apart at most, share",
    "difference": "Second mark less the first, mean points",
    "kappa_linear": "Cohen’s kappa, linear weights",
    "kappa_quadratic": "Cohen’s kappa, quadratic weights",
    "alpha_ordinal": "Krippendorff’s alpha, ordered levels",
    "alpha_interval": "Krippendorff’s alpha, distances in points",
    "icc": "ICC(2,1), agreement of single marks",
}
"""The figures of an agreement by their fields, in the order in which they are told."""
NOTHING = "Nothing has been marked twice yet."
HOW = (
    "Somebody other than the first marker chooses “As: Second marker, blind” on the marking page, "
    "and marks a sample of the submissions, or all of them."
)


class Part(msgspec.Struct, frozen=True):
    """The agreement in one criterion. ``words`` say what its figures mean."""

    criterion: Criterion
    found: Agreement

    @property
    def figures(self) -> list[tuple[str, Figure]]:
        """All figures with what they are called."""
        return [(name, getattr(self.found, field)) for field, name in FIGURES.items()]

    @property
    def words(self) -> tuple[str, ...]:
        """What the figures mean, in sentences."""
        return describe(self.found, [level.points for level in self.criterion.levels])


def parts(course: Course, found: Iterable[Twice]) -> list[Part]:
    """The criteria of which something was marked twice, in the rubric's order."""
    figures = agreements(found)
    return [Part(one, figures[one.id]) for one in course.rubric.criteria if one.id in figures]


def table(course: Course, found: Sequence[Twice]) -> bytes:
    """One line for each criterion of each step, as CSV for a spreadsheet."""
    head = ["step", "criterion", "title", "marked_twice", "wait", "settled"]
    head += ["exact_by_chance", "adjacent_by_chance", "commonest_share"]
    for field in FIGURES:
        head += [field, f"{field}_low", f"{field}_high", f"{field}_note"]
    rows = [
        _row(step.id, part, [one for one in of_step if one.criterion == part.criterion.id])
        for step in course.steps
        for of_step in [[one for one in found if one.step == step.id]]
        for part in parts(course, of_step)
    ]
    return csv_bytes(head, rows)


def _row(step: str, part: Part, found: Sequence[Twice]) -> list[Any]:
    waits = sum(one.waits for one in found)
    settled = sum(one.settled is not None for one in found)
    of = part.found
    row: list[Any] = [step, part.criterion.id, part.criterion.title, of.n, waits, settled]
    row += map(_rounded, (of.exact_by_chance, of.adjacent_by_chance, of.commonest))
    for _, figure in part.figures:
        row += [*map(_rounded, (figure.value, figure.low, figure.high)), figure.why or None]
    return row


def marked(points: float, criterion: Criterion) -> str:
    """Points with the name of their level: ``3 (Sound)``."""
    names = [level.name for level in criterion.levels if level.points == points]
    return f"{points:g} ({names[0]})" if names else f"{points:g}"


def drifted(drift: Drift) -> str:
    """What a marker's drift may mean, in a sentence."""
    change = drift.change
    value = change.value or 0.0
    if change.low is None or change.high is None:
        return f"No interval: {change.why}."
    if change.low <= 0 <= change.high:
        return "The interval holds 0, so it may be chance."
    return (
        f"Marks became {'higher' if value > 0 else 'lower'} while they were given. Submissions "
        "come in no order of their own, so look at the early ones again."
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
