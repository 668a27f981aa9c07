"""What a step asked when it was released: what was submitted stays what it was.

``nbgrader generate_assignment`` keeps each version that it releases, the step with the rubric, in
``assignments/.pcn/released/<step id>/<version>.json`` of the course folder. Answers say under which
version they were last saved, and are shown and checked by it. That claim is the student's: only
what was kept here counts.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
from collections.abc import Hashable, Iterator
from pathlib import Path

import msgspec

from pcn_course.course.faults import Fault
from pcn_course.course.model import TOOLS, Course, Prompt, Rubric, Step, UnknownStepError
from pcn_course.files import write_whole

FOLDER = Path("assignments", ".pcn", "released")
UNKNOWN = (
    "These answers name a version of this step that was never released, so they are shown under "
    "the questions of the newest release."
)
_log = logging.getLogger("pcn_course")


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a step as it was released, and when (UTC).

    ``step.due`` is the due date that ``data/course.toml`` had then, not the gradebook's.
    """

    format: int = 1
    at: dt.datetime
    step: Step
    rubric: Rubric


def keep(course: Course, step: Step, at: dt.datetime) -> None:
    """Keep the step as released at ``at``; a version that comes again is the newest again.

    Raises:
        OSError: it can't be written.
    """
    release = Release(at=at, step=step, rubric=course.rubric)
    path = course.root / FOLDER / step.id / f"{step.version}.json"
    write_whole(path, msgspec.json.encode(release))


def releases(course: Course, step_id: str) -> dict[str, Release]:
    """All releases of a step by version, oldest first; a file that can't be read is skipped."""
    folder = course.root / FOLDER / step_id
    try:
        states = tuple(sorted((path, path.stat().st_mtime_ns) for path in folder.glob("*.json")))
    except OSError:
        return {}
    return _read(states)


def newest(course: Course, step_id: str) -> Release | None:
    """The last release of a step; None before the first."""
    return next(reversed(releases(course, step_id).values()), None)


def asked(course: Course, step: Step, version: str) -> tuple[Step, tuple[str, ...]]:
    """The step as the answers' ``version`` asked it, and a note where that can't be known.

    Answers of before versions were kept (``""``) are of the first release.
    """
    if version == step.version:
        return step, ()
    known = releases(course, step.id)
    if version in known:
        return known[version].step, ()
    if version:
        last = newest(course, step.id)
        return last.step if last else step, (UNKNOWN,)
    return next((one.step for one in known.values()), step), ()


def changes(course: Course, step_id: str = "") -> tuple[Fault, ...]:
    """Return what differs from the newest releases in a way that would change scores or answers.

    Wording, help, order, and new questions may change. ``step_id`` limits the comparison.
    """
    faults: dict[Fault, None] = {}
    for folder in sorted((course.root / FOLDER).glob(step_id or "*")):
        if last := newest(course, folder.name):
            faults.update(dict.fromkeys(_changes(course, last)))
    return tuple(faults)


@functools.lru_cache(maxsize=64)
def _read(states: tuple[tuple[Path, Hashable], ...]) -> dict[str, Release]:
    found = {}
    for path, _ in states:
        try:
            found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Release)
        except (OSError, msgspec.MsgspecError) as error:
            _log.warning("%s was skipped, since it can't be read: %s", path, error)
    return dict(sorted(found.items(), key=lambda pair: pair[1].at))


def _changes(course: Course, last: Release) -> Iterator[Fault]:
    before = last.step
    file = f"data/steps/{before.id}.toml"
    try:
        now = course.step(before.id)
    except UnknownStepError:
        yield Fault(file, "", f"was released and is gone. Put it back{_otherwise(before)}")
        return
    back = f"Put it back{_otherwise(before)}"
    if now.name != before.name:
        yield Fault(file, "name", f"was “{before.name}” in the release. {back}")
    for prompt in before.prompts:
        later = now.prompt(prompt.key)
        for what, message in _of_a_prompt(prompt, later):
            place = f"prompts “{prompt.key}”{what}"
            yield Fault(file, place, f"{message}. Ask something else under a new key. {back}")
    points = [(part.points, part.prompts) for part in before.structure]
    if points != [(part.points, part.prompts) for part in now.structure]:
        message = "the points, or the prompts that they need, are not those of the release"
        yield Fault(file, "structure", f"{message}. The words in `says` may change. {back}")
    if now.covered != before.covered:
        yield Fault(file, "covered", f"names other prompts than the release. {back}")
    yield from _of_the_rubric(course.rubric, last)


def _of_a_prompt(before: Prompt, now: Prompt | None) -> Iterator[tuple[str, str]]:
    """Where a prompt, or a column, would part students from what they wrote, and how."""
    if now is None:
        yield "", "was released and is gone, and answers are stored under its key"
        return
    for field in ("kind", "private", "options_from"):
        old, new = getattr(before, field), getattr(now, field)
        if old != new:
            old, new = (
                str(one).lower() if field == "private" else f"“{one}”" for one in (old, new)
            )
            yield f": {field}", f"was {old} in the release and is {new}"
    if before.kind == "scale" and now.points != before.points:
        yield ": points", f"was {before.points} in the release and is {now.points}"
    if now.max_rows < before.max_rows:
        yield ": max_rows", f"was {before.max_rows} in the release and is less now"
    if before.options_from != TOOLS:
        offered = {option.value for option in now.options}
        for option in before.options:
            if option.value not in offered:
                yield ": options", f"“{option.value}” was offered in the release and is gone"
    columns = {column.key: column for column in now.columns}
    for column in before.columns:
        for what, message in _of_a_prompt(column, columns.get(column.key)):
            yield f" › columns “{column.key}”{what}", message


def _of_the_rubric(rubric: Rubric, last: Release) -> Iterator[Fault]:
    file, step = "data/rubric.toml", last.step
    rest = f"Names and texts of levels may change. Put the points back{_otherwise(step)}"
    if rubric.structure != last.rubric.structure:
        message = f"was {last.rubric.structure:g} points in the release of {step.id}, and is"
        yield Fault(file, "structure", f"{message} {rubric.structure:g} now. {rest}")
    now = {one.id: [level.points for level in one.levels] for one in rubric.criteria}
    old = {one.id: [level.points for level in one.levels] for one in last.rubric.criteria}
    for one in {**old, **now}:
        if old.get(one) != now.get(one):
            was = _points(old[one]) if one in old else "there was no such criterion"
            gives = _points(now[one]) if one in now else "there is no such criterion"
            message = f"{was} in the release of {step.id}, {gives} now. {rest}"
            yield Fault(file, f"criteria “{one}”", message)


def _points(levels: list[float]) -> str:
    return f"levels of {', '.join(f'{one:g}' for one in levels)} points"


def _otherwise(step: Step) -> str:
    return f", or, if no student of this term has the step yet, delete {FOLDER / step.id}."
