"""The letter to a student about one step: what the page and the Word document both say.

It is read from the graded notebook (its scores and comments put there by nbgrader's ``GetGrades``),
the gradebook, our tables in it, and the answers that were graded. Words of people are in it as they
typed them: whoever shows them escapes them.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
import nbformat
from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import is_grade, is_solution, is_task
from sqlalchemy import Engine, select

from pcn_course.answers.store import FILE, Field, Submitted, read_answers, read_submitted
from pcn_course.answers.values import words_at
from pcn_course.course import Course, Criterion, Level, Prompt, Step, UnknownStepError
from pcn_course.exchange import TIMESTAMP
from pcn_course.grading.gradebook.regrade_requests import Request, requests_of
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.schema import highlights, make_tables
from pcn_course.grading.nbgrader.gradebook import OneGradebook
from pcn_course.grading.nbgrader.submitted import LIMITS, read_plainly
from pcn_course.grading.notebooks import STRUCTURE

EARLIER = "earlier"
"""The room's folder of the answers that released letters were about."""
_BEFORE = 1_200
"""Characters of an earlier answer that a letter quotes."""
_STAMP = "%Y%m%dT%H%M%S%fZ"


class Passage(msgspec.Struct, frozen=True):
    """Words of an answer that the instructor marked. ``earlier``: the answer changed since."""

    where: str
    words: str
    comment: str
    earlier: bool


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What is said about one criterion (or one cell that the instructor added).

    ``points`` is None where there is no mark yet. ``level`` is the highest one that the points
    reach, ``next`` the one after it. ``reopened``: the mark was given on earlier answers.
    """

    id: str
    title: str
    question: str
    points: float | None
    out_of: float | None
    level: Level | None
    next: Level | None
    levels: tuple[Level, ...]
    comment: str
    passages: tuple[Passage, ...] = ()
    reopened: bool = False

    @property
    def share(self) -> float:
        """The share of this criterion's points, 0 to 1; it has to be marked."""
        return (self.points or 0) / self.out_of if self.out_of else 1.0


class Change(msgspec.Struct, frozen=True):
    """An answer that is not what it was. ``before`` are its earlier words, where it had any."""

    label: str
    kind: Literal["new", "changed", "gone"]
    before: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a student is told about one step. Times are UTC.

    ``aim`` is the criterion whose next level is the one next step. ``since`` is when the answers
    were handed in with which ``changes`` compares; None where no earlier letter was released.
    """

    course: str
    title: str
    number: int
    steps: int
    name: str
    handed_in: dt.datetime | None
    points: float
    out_of: float
    late: float
    unmarked: int
    structure: Part | None
    by_hand: bool
    parts: tuple[Part, ...]
    passages: tuple[Passage, ...]
    aim: Part | None
    at_the_top: bool
    since: dt.datetime | None
    changes: tuple[Change, ...]
    requests: tuple[tuple[str, Request], ...]


def write_letter(
    nb: NotebookNode, info: dict[str, Any], course: Course, folder: Path, room: Path
) -> Letter:
    """The letter on a graded notebook with its scores and comments.

    ``info`` is nbgrader's (assignment, notebook, student, db_url, scores), ``folder`` the one with
    the answers that were graded, ``room`` the instructor's.
    """
    step = _step(course, info["assignment"])
    student = info["student"]
    submitted = read_submitted(folder / FILE, course, step) if step else Submitted({})
    answers, then = submitted.fields, submitted.step or step
    with OneGradebook(info["db_url"]) as gradebook:
        notebook = gradebook.find_submission_notebook(info["notebook"], info["assignment"], student)
        grades = {one.name: one for one in notebook.grades}
        unmarked = {
            name for name, one in grades.items()
            if one.manual_score is None and one.auto_score is None
        }  # fmt: skip
        reopened = {
            name for name, one in grades.items()
            if one.manual_score is not None and one.needs_manual_grade
        }  # fmt: skip
        by_hand = STRUCTURE in grades and grades[STRUCTURE].manual_score is not None
        handed_in = notebook.assignment.timestamp
        name = _name(gradebook, student)
        engine = gradebook.engine
        passages = _passages(engine, student, then, answers)
        asked = requests_of(engine, step=info["assignment"], student=student)
    titles = {one.id: one.title for one in course.rubric.criteria}
    parts = [
        _part(cell, course, unmarked, reopened, passages)
        for cell in nb.cells
        if is_grade(cell) or is_task(cell) or is_solution(cell)
    ]
    own = tuple(one for one in parts if one.id != STRUCTURE)
    aim, at_the_top = next_step(own)
    since, changes = _changes(room, student, then, course, folder, answers)
    return Letter(
        course=course.title,
        title=step.title if step else nb.metadata.get("title", info["notebook"]),
        number=step.number if step else 0,
        steps=len(course.steps),
        name=name,
        handed_in=handed_in.replace(tzinfo=dt.UTC) if handed_in else None,
        points=info["score"],
        out_of=info["max_score"],
        late=info["late_penalty"],
        unmarked=len(unmarked),
        structure=next((one for one in parts if one.id == STRUCTURE), None),
        by_hand=by_hand,
        parts=own,
        passages=tuple(passages.get(None, ())),
        aim=aim,
        at_the_top=at_the_top,
        since=since,
        changes=changes,
        requests=tuple((titles.get(one.criterion or "", ""), one) for one in asked),
    )


def read_letter(room: Room, student: str, step_id: str) -> Letter | None:
    """The letter as it would be written now; None where nothing was graded.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    folder = room.root / room.autograded / student / step_id
    try:
        nb = nbformat.read(folder / f"{step_id}.ipynb", as_version=4)
    except FileNotFoundError:
        return None
    info = {
        "assignment": step_id, "notebook": step_id, "student": student, "db_url": room.db_url
    }  # fmt: skip
    nb, resources = GetGrades().preprocess(nb, {"nbgrader": info})
    return write_letter(nb, resources["nbgrader"], room.course, folder, room.root)


def next_step(parts: Iterable[Part]) -> tuple[Part | None, bool]:
    """The criterion to work on next, and whether all that are marked are at their highest level.

    It is the marked criterion with the lowest share of its points that has a higher level; of
    several it is the first.
    """
    marked = [one for one in parts if one.levels and one.points is not None]
    below = [one for one in marked if one.next]
    return min(below, key=lambda one: one.share, default=None), bool(marked) and not below


def keep_answers(room: Path, student: str, step_id: str, folder: Path) -> Path | None:
    """Keep the answers that a released letter was about, to compare the next ones with.

    ``folder`` holds them with nbgrader's timestamp. The path; None where there are none.
    """
    content = read_plainly(folder, FILE, LIMITS[FILE])
    stamp = read_plainly(folder, TIMESTAMP, LIMITS[TIMESTAMP])
    if content is None or stamp is None:
        return None
    try:
        when = dt.datetime.fromisoformat(stamp.decode().strip().removesuffix(" UTC"))
    except ValueError:
        return None
    when = when.astimezone(dt.UTC) if when.tzinfo else when.replace(tzinfo=dt.UTC)
    kept = room / EARLIER / student / step_id / f"{when.strftime(_STAMP)}.json"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / FILE, kept)
    return kept


def plain_number(number: float) -> str:
    """A number of points as people write it: at most two decimals, none where there are none."""
    return f"{round(number, 2):g}"


def _part(
    cell: NotebookNode,
    course: Course,
    unmarked: set[str],
    reopened: set[str],
    passages: dict[str | None, list[Passage]],
) -> Part:
    """A score with its comment; the words are the rubric's, or the cell's first line."""
    about = cell.metadata["nbgrader"]
    grade_id = about["grade_id"]
    criterion = next((one for one in course.rubric.criteria if one.id == grade_id), None)
    out_of = about.get("points")
    points = None if grade_id in unmarked or out_of is None else about["score"]
    level, above = _levels(criterion, points)
    heading = re.match(r"#+\s+(.+)", cell.source)
    return Part(
        id=grade_id,
        title=criterion.title if criterion else (heading[1] if heading else grade_id),
        question=criterion.question if criterion else "",
        points=points,
        out_of=out_of,
        level=level,
        next=above,
        levels=criterion.levels if criterion else (),
        comment=(about.get("comment") or "").strip(),
        passages=tuple(passages.get(grade_id, ())),
        reopened=grade_id in reopened,
    )


def _levels(criterion: Criterion | None, points: float | None) -> tuple[Level | None, Level | None]:
    """The highest level that the points reach, and the one after it."""
    if criterion is None or points is None:
        return None, None
    reached = [one for one in criterion.levels if one.points <= points]
    above = [one for one in criterion.levels if one.points > points]
    by_points = lambda one: one.points  # noqa: E731 (said once, used twice)
    return max(reached, key=by_points, default=None), min(above, key=by_points, default=None)


def _passages(
    engine: Engine, student: str, step: Step | None, answers: dict[str, Field]
) -> dict[str | None, list[Passage]]:
    """The marked passages by criterion, in the order in which they were marked."""
    found: dict[str | None, list[Passage]] = {}
    if step is None:
        return found
    make_tables(engine)
    wanted = (
        select(highlights)
        .where(highlights.c.student == student, highlights.c.step == step.id)
        .order_by(highlights.c.id)
    )
    with engine.connect() as connection:
        for row in connection.execute(wanted):
            prompt = step.prompt(row.prompt)
            # Private or no longer asked: not for a letter.
            if prompt is None or prompt.private:
                continue
            column = next((one for one in prompt.columns if one.key == row.column), None)
            where = f"{prompt.label} · {column.label}" if column else prompt.label
            answer = answers[row.prompt].value if row.prompt in answers else None
            text = words_at(answer, row.row, row.column)
            earlier = text[row.start : row.end] != row.passage
            found.setdefault(row.criterion, []).append(
                Passage(where, row.passage, row.comment.strip(), earlier)
            )
    return found


def _changes(
    room: Path,
    student: str,
    step: Step | None,
    course: Course,
    folder: Path,
    answers: dict[str, Field],
) -> tuple[dt.datetime | None, tuple[Change, ...]]:
    """What is new since the answers that the last letter was about, and when those came."""
    if step is None:
        return None, ()
    present = read_plainly(folder, FILE, LIMITS[FILE])
    for path in sorted((room / EARLIER / student / step.id).glob("*.json"), reverse=True):
        if path.read_bytes() == present:
            continue
        try:
            since = dt.datetime.strptime(path.stem, _STAMP).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
        before = read_answers(path, step, course.id).fields
        return since, tuple(_compare(step, before, answers))
    return None, ()


def _compare(step: Step, before: dict[str, Field], after: dict[str, Field]) -> Iterable[Change]:
    for prompt in step.prompts:
        if prompt.private:
            continue
        old, new = (
            None if field is None or prompt.is_empty(field.value) else field.value
            for field in (before.get(prompt.key), after.get(prompt.key))
        )
        if old == new:
            continue
        kind: Literal["new", "changed", "gone"] = (
            "new" if old is None else "gone" if new is None else "changed"
        )
        yield Change(prompt.label, kind, "" if old is None else _quoted(prompt, old))


def _quoted(prompt: Prompt, value: Any) -> str:
    """An earlier answer in a few words; of a table how long it was."""
    if prompt.kind == "table":
        count = len(value)
        return f"{count} {'entry' if count == 1 else 'entries'}"
    words = prompt.shown(value)
    return words if len(words) <= _BEFORE else f"{words[:_BEFORE].rstrip()} …"


def _name(gradebook: Any, student: str) -> str:
    try:
        found = gradebook.find_student(student)
    except MissingEntry:
        return student
    return f"{found.first_name or ''} {found.last_name or ''}".strip() or student


def _step(course: Course, assignment_id: str) -> Step | None:
    try:
        return course.step(assignment_id)
    except UnknownStepError:
        return None
