"""What stands in nbgrader's gradebook: scores, marks and submissions, as they are read.

Points are as in the rubric. A score by hand counts before one by machine, as with nbgrader.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from pcn_course.course import Criterion
from pcn_course.files import UserError
from pcn_course.grading.gradebook import tables
from pcn_course.grading.gradebook.room import Person, Room
from pcn_course.grading.gradebook.schema import events, notes
from pcn_course.grading.notebooks import STRUCTURE

MAX_COMMENT = 20_000
"""Characters of a comment."""


class MarkError(UserError):
    """A mark can't be given. ``plain`` says why and what to do."""


class NoSubmissionError(MarkError):
    """The gradebook has no such submission. ``plain`` names the student: not for a blind page."""

    def __init__(self, student: str, step_id: str) -> None:
        super().__init__(
            f"There is no submission of {step_id} by {student} in the gradebook. "
            "Collect and autograde first."
        )


class Mark(msgspec.Struct, frozen=True):
    """One criterion of one submission. ``open``: it asks for a mark, or for a new look at it.

    ``by`` and ``at`` are of the last change that was made here; formgrader keeps neither.
    """

    points: float | None = None
    comment: str = ""
    open: bool = True
    by: str | None = None
    at: dt.datetime | None = None


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """One student's submission of one step, as the gradebook has it. Points are as in the rubric.

    ``raw`` is the sum of all scores; ``total`` is what is left of it after the late penalty.
    """

    student: Person
    pseudonym: str
    step: str
    handed_in: dt.datetime | None
    seconds_late: float
    penalty: float
    structure: float
    structure_open: bool
    marks: dict[str, Mark]
    raw: float
    total: float
    out_of: float
    notes: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[str, ...]:
        """The criteria that ask for a mark or for a new look, in the rubric's order."""
        return tuple(criterion for criterion, mark in self.marks.items() if mark.open)


class MarkRow(msgspec.Struct, frozen=True, kw_only=True):
    """One score in the gradebook. ``points`` is None where there is none yet."""

    student: str
    step: str
    criterion: str
    points: float | None
    out_of: float
    open: bool
    auto: bool
    handed_in: dt.datetime | None
    penalty: float


def criteria_of(room: Room) -> dict[str, Criterion]:
    """The rubric's criteria by id, in its order."""
    return {criterion.id: criterion for criterion in room.course.rubric.criteria}


def read_submissions(
    connection: Connection, room: Room, step_id: str, student: str | None = None
) -> list[Submission]:
    """The submissions of a step, of one student or of all."""
    scores: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(score_rows(step_id, student)):
        scores.setdefault(row.student, []).append(row)
    changed = _changes(connection, step_id, student)
    said: dict[str, list[str]] = {}
    wanted = select(notes).where(notes.c.step == step_id).order_by(notes.c.id)
    for note in connection.execute(wanted):
        said.setdefault(note.student, []).append(note.text)
    return [
        _one(room, step_id, rows, changed, tuple(said.get(who, ()))) for who, rows in scores.items()
    ]


def _one(
    room: Room,
    step_id: str,
    rows: list[Row[Any]],
    changed: dict[tuple[str, str], Row[Any]],
    said: tuple[str, ...],
) -> Submission:
    cells = {row.cell: row for row in rows}
    first = rows[0]
    person = Person(
        first.student, first.first_name or "", first.last_name or "", first.email or "",
        first.lms_user_id or "",
    )  # fmt: skip
    marks = {}
    for criterion in criteria_of(room):
        if row := cells.get(criterion):
            change = changed.get((first.student, criterion))
            marks[criterion] = Mark(
                points=row.manual_score,
                comment=row.manual_comment or "",
                open=bool(row.needs_manual_grade) or row.manual_score is None,
                by=change.by if change else None,
                at=change.at if change else None,
            )
    raw = sum(_score(row) for row in rows)
    penalty = float(first.late_submission_penalty or 0)
    structure = cells.get(STRUCTURE)
    return Submission(
        student=person,
        pseudonym=pseudonym(room.course_id, step_id, first.student),
        step=step_id,
        handed_in=first.timestamp.replace(tzinfo=dt.UTC) if first.timestamp else None,
        seconds_late=_late(first),
        penalty=penalty,
        structure=_score(structure) if structure else 0.0,
        structure_open=bool(structure and structure.needs_manual_grade),
        marks=marks,
        raw=raw,
        total=max(0.0, raw - penalty),
        out_of=sum(row.max_score or 0.0 for row in rows),
        notes=said,
    )


def read_marks(room: Room, step_id: str | None = None) -> list[MarkRow]:
    """Every score in the gradebook, of one step or of all, in one query.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    with room.engine.connect() as connection:
        return [
            MarkRow(
                student=row.student,
                step=row.step,
                criterion=row.cell,
                points=_score(row) if _has_score(row) else None,
                out_of=row.max_score or 0.0,
                open=bool(row.needs_manual_grade) or not _has_score(row),
                auto=row.manual_score is None,
                handed_in=row.timestamp.replace(tzinfo=dt.UTC) if row.timestamp else None,
                penalty=float(row.late_submission_penalty or 0),
            )
            for row in connection.execute(score_rows(step_id, None))
        ]


def pseudonym(course_id: str, step_id: str, student: str) -> str:
    """A name for a submission that says nothing about its student, and stays the same."""
    digest = hashlib.sha256(f"{course_id}\0{step_id}\0{student}".encode()).digest()
    return base64.b32encode(digest)[:5].decode()


def score_rows(step_id: str | None, student: str | None) -> Select[Any]:
    """All scores with what belongs to them, one row each."""
    wanted = (
        select(
            tables.grade,
            tables.cell.c.name.label("cell"),
            func.coalesce(tables.graded_cell.c.max_score, tables.task_cell.c.max_score).label(
                "max_score"
            ),
            tables.comment.c.manual_comment,
            tables.notebook.c.late_submission_penalty,
            tables.submission.c.timestamp,
            tables.submission.c.extension,
            tables.assignment.c.name.label("step"),
            tables.assignment.c.duedate,
            tables.student.c.id.label("student"),
            tables.student.c.first_name,
            tables.student.c.last_name,
            tables.student.c.email,
            tables.student.c.lms_user_id,
        )
        .select_from(tables.grade)
        .join(tables.cell, tables.cell.c.id == tables.grade.c.cell_id)
        .join(tables.notebook, tables.notebook.c.id == tables.grade.c.notebook_id)
        .join(tables.submission, tables.submission.c.id == tables.notebook.c.assignment_id)
        .join(tables.assignment, tables.assignment.c.id == tables.submission.c.assignment_id)
        .join(tables.student, tables.student.c.id == tables.submission.c.student_id)
        .outerjoin(tables.graded_cell, tables.graded_cell.c.id == tables.cell.c.id)
        .outerjoin(tables.task_cell, tables.task_cell.c.id == tables.cell.c.id)
        .outerjoin(
            tables.comment,
            (tables.comment.c.notebook_id == tables.grade.c.notebook_id)
            & (tables.comment.c.cell_id == tables.grade.c.cell_id),
        )
        .order_by(tables.student.c.id, tables.assignment.c.name)
    )
    if step_id is not None:
        wanted = wanted.where(tables.assignment.c.name == step_id)
    if student is not None:
        wanted = wanted.where(tables.student.c.id == student)
    return wanted


def _changes(
    connection: Connection, step_id: str, student: str | None
) -> dict[tuple[str, str], Row[Any]]:
    """The last change of each mark in a step, by student and criterion."""
    wanted = (
        select(events)
        .where(events.c.step == step_id, events.c.what.in_(("mark", "settled")))
        .order_by(events.c.id)
    )
    if student is not None:
        wanted = wanted.where(events.c.student == student)
    return {(row.student, row.criterion): row for row in connection.execute(wanted)}


def _has_score(row: Row[Any]) -> bool:
    return row.manual_score is not None or row.auto_score is not None


def _score(row: Row[Any]) -> float:
    """A score as nbgrader's ``Grade.score`` has it: by hand before by machine, with the extra."""
    if not _has_score(row):
        return 0.0
    score = row.auto_score if row.manual_score is None else row.manual_score
    return float(score + (row.extra_credit or 0.0))


def _late(row: Row[Any]) -> float:
    """Seconds after the due date, the student's extension counted; 0 without a due date."""
    if row.timestamp is None or row.duedate is None:
        return 0.0
    due = row.duedate + (row.extension or dt.timedelta())
    return max(0.0, float((row.timestamp - due).total_seconds()))
