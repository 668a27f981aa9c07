"""What handing in late costs, by ``late.csv`` (see `late.rules`); without it, nothing.

This is what counts, for a step that is due on Friday at 23:59 and the file
``grace 2 hours, penalty 10% per day, cap 50%``, where the step has 20 points:

1. An extension moves the due date of its student. Then lateness is the time from the due date to
   when the student handed in, in whole seconds.
2. Within grace nothing is late: Saturday 01:59 costs nothing.
3. After grace the days begun *since the due date* count, of 24 hours each; grace is not taken off
   them. Saturday 02:00 is 1 day and costs 10% of 20 points, 2 points; Sunday 00:30 is 2 days, 4
   points; from Wednesday on the cap holds, at 10 points.
4. No more is taken than the step has earned, so that no total is below 0. What is earned changes
   with marks, so penalties are computed anew after each mark.

nbgrader computes a penalty when it autogrades, from the score before marking, and never again.
:func:`recalculate` does it for all submissions, whenever a date, an extension or a mark has moved.
The file is the whole truth about extensions: it replaces those that nbgrader was given elsewhere.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from nbgrader.api import MissingEntry
from nbgrader.plugins import BasePlugin, CsvExportPlugin
from sqlalchemy import Connection, Row, case, func, select, update

from pcn_course.course import Course, CourseError
from pcn_course.files import UserError, write_private
from pcn_course.grading.gradebook import audit_log, tables
from pcn_course.grading.gradebook.room import Room, RoomError, open_room
from pcn_course.grading.late.rules import ALL, FILE, LateError, Rules, read_rules
from pcn_course.grading.late.time_zone import zone_of
from pcn_course.grading.lms.ids import id_key
from pcn_course.spreadsheets import csv_as_is, guarded_line


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """One submission that is late, or has an extension, or whose penalty changes.

    Times are UTC; ``due`` is with the extension. ``days`` are those that count. ``penalty`` is in
    points; ``before`` and ``extension_before`` are what the gradebook had.
    """

    student: str
    step: str
    handed_in: dt.datetime | None
    due: dt.datetime | None
    late: dt.timedelta
    days: int
    extension: dt.timedelta
    extension_before: dt.timedelta
    penalty: float
    before: float

    @property
    def changed(self) -> bool:
        """Whether the gradebook has something else."""
        return (
            abs(self.penalty - self.before) > 1e-9 or self.extension != self.extension_before
        )  # fmt: skip


class Recalculated(msgspec.Struct, frozen=True):
    """What was computed. ``notes`` are sentences about lines that have no effect yet.

    ``unknown`` are those of them whose student isn't in the gradebook: most likely a slip.
    """

    submissions: tuple[Late, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """How many submissions have another penalty or extension than before."""
        return sum(one.changed for one in self.submissions)


def recalculate(room: Room, *, dry_run: bool = False) -> Recalculated:
    """Bring all penalties and extensions in the gradebook up to date, in one transaction.

    Without ``late.csv`` penalties become 0 and extensions stay. ``dry_run`` only computes.

    Raises:
        LateError: the file holds faults; nothing was changed.
        RoomError: the gradebook can't be opened.
    """
    rules = rules_of(room)
    with room.engine.begin() as connection:
        if not dry_run:
            _lock(connection)
        found = _computed(room, rules, _submissions(connection, room.course))
        if not dry_run:
            for row, one in found:
                _write(connection, row, one)
        known = set(connection.execute(select(tables.student.c.id)).scalars())
    unknown = _unknown(room, rules, known)
    notes = [*unknown, *_notes(room, rules, known, [one for _, one in found])]
    if theirs := _other_plugin(room):
        notes.append(f"nbgrader_config.py sets {theirs} for late penalties: they were left to it.")
    return Recalculated(
        tuple(one for _, one in found if one.changed or one.late or one.extension),
        tuple(notes),
        tuple(unknown),
    )


def recalculate_one(connection: Connection, room: Room, student: str, step: str) -> None:
    """The same for one submission, in the transaction of the mark that was given.

    Without ``late.csv``, or where it holds faults, all stays as it is: `pcn late` and exports tell
    them, and a slip in a table stops nobody's marking.
    """
    if not (room.root / FILE).exists():
        return
    try:
        rules = rules_of(room)
    except LateError:
        return
    _lock(connection, student, step)
    for row, one in _computed(room, rules, _submissions(connection, room.course, student, step)):
        _write(connection, row, one)


def rules_of(room: Room) -> Rules:
    """What the room's ``late.csv`` says; no rules where there is none.

    Raises:
        LateError: it holds faults, or the zone in ``nbgrader_config.py`` is none.
    """
    try:
        return read_rules(room.root / FILE, room.course, zone_of(room.config))
    except LateError:
        raise
    except UserError as error:
        raise LateError((error.plain,)) from error


class LatePenalty(BasePlugin):
    """nbgrader's late penalty plugin: what :func:`recalculate` would give, when autograding."""

    def late_submission_penalty(
        self,
        student_id: str,
        score: float,  # noqa: ARG002 (the gradebook has it)
        total_seconds_late: float,  # noqa: ARG002 (an extension may have moved since)
    ) -> float | None:
        """The points that are taken off, and the extension into the gradebook.

        A file with faults is told in the log, and the penalty stays as it was.
        """
        root = Path(self.parent.parent.parent.coursedir.root)
        if not (root / FILE).exists():
            return None
        gradebook, step = self.parent.gradebook, self.parent.assignment_id
        where = student_id, step
        try:
            room = open_room(root)
            rules_of(room)
        except (LateError, RoomError, CourseError) as error:
            # In words, without a traceback: whoever wrote the table reads it.
            self.log.error("No late penalty was computed. %s", error)  # noqa: TRY400
            # nbgrader has taken the old one away in its session already.
            with gradebook.engine.connect() as outside:
                return _standing(outside, *where)
        connection = gradebook.db.connection()
        recalculate_one(connection, room, *where)
        return _standing(connection, *where)


_COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip


class Csv(CsvExportPlugin):
    """nbgrader's own table, after penalties were computed anew; quoted, guarded_line and private.

    nbgrader's own plugin quotes nothing: a comma in a name moves all that follows it, and a name
    may be a formula.
    """

    def export(self, gradebook: Any) -> None:
        """Write the file, or say what is to be mended first."""
        try:
            room = open_room(Path(self.parent.coursedir.root))
            room.db_url = self.parent.coursedir.db_url
            try:
                recalculate(room)
                audit_log.write(room.root, [audit_log.line("export", marker="csv")])
            finally:
                room.close()
        except UserError as error:
            self.parent.fail("%s", error.plain)
        path = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", path)
        try:
            write_private(path, csv_as_is([_COLUMNS, *self._rows(gradebook)], encoding="utf-8"))
        except OSError as error:
            self.parent.fail("%s: %s. The file was not written.", path, error.strerror)

    def _rows(self, gradebook: Any) -> Iterator[list[str]]:
        """A row for each step and student; who handed in nothing has no time and 0 points."""
        students = {str(one) for one in self.student}
        steps = {str(one) for one in self.assignment}
        for assignment in gradebook.assignments:
            for student in gradebook.students:
                if (steps and assignment.name not in steps) or (
                    students and student.id not in students
                ):
                    continue
                when, raw, penalty = "", 0.0, 0.0
                with contextlib.suppress(MissingEntry):
                    found = gradebook.find_submission(assignment.name, student.id)
                    when, raw = found.timestamp, found.score
                    penalty = found.late_submission_penalty
                cells = (
                    assignment.name, assignment.duedate, when, student.id, student.last_name,
                    student.first_name, student.email, raw, penalty, max(0.0, raw - penalty),
                    assignment.max_score,
                )  # fmt: skip
                yield [
                    guarded_line(one) if isinstance(one, str) else "" if one is None else str(one)
                    for one in cells
                ]


def _submissions(
    connection: Connection, course: Course, student: str | None = None, step: str | None = None
) -> list[Row[Any]]:
    """Submissions of the course's steps, with what was earned and what can be, one row each."""
    columns = (
        tables.notebook.c.id,
        tables.notebook.c.late_submission_penalty,
        tables.submission.c.id.label("submission"),
        tables.submission.c.student_id.label("student"),
        tables.submission.c.timestamp,
        tables.submission.c.extension,
        tables.assignment.c.name.label("step"),
        tables.assignment.c.duedate,
    )
    extra = func.coalesce(tables.grade.c.extra_credit, 0.0)
    # As nbgrader's own `Grade.score`.
    score = case(
        (tables.grade.c.manual_score.is_not(None), tables.grade.c.manual_score + extra),
        (tables.grade.c.auto_score.is_not(None), tables.grade.c.auto_score + extra),
        else_=0.0,
    )
    most = func.coalesce(tables.graded_cell.c.max_score, tables.task_cell.c.max_score, 0.0)
    wanted = (
        select(*columns, func.sum(score).label("earned"), func.sum(most).label("out_of"))
        .select_from(tables.notebook)
        .join(tables.submission, tables.submission.c.id == tables.notebook.c.assignment_id)
        .join(tables.assignment, tables.assignment.c.id == tables.submission.c.assignment_id)
        .join(tables.grade, tables.grade.c.notebook_id == tables.notebook.c.id)
        .outerjoin(tables.graded_cell, tables.graded_cell.c.id == tables.grade.c.cell_id)
        .outerjoin(tables.task_cell, tables.task_cell.c.id == tables.grade.c.cell_id)
        .where(tables.assignment.c.name.in_([one.id for one in course.steps]))
        .group_by(*columns)
        .order_by(tables.assignment.c.name, tables.submission.c.student_id)
    )
    if student is not None:
        wanted = wanted.where(tables.submission.c.student_id == student)
    if step is not None:
        wanted = wanted.where(tables.assignment.c.name == step)
    return list(connection.execute(wanted))


def _lock(connection: Connection, student: str | None = None, step: str | None = None) -> None:
    """Take the penalties for this transaction, before the scores are read.

    Whoever gives a mark takes them, too, after it was written: the last one has seen all marks.
    """
    own = select(tables.submission.c.id).join(
        tables.assignment, tables.assignment.c.id == tables.submission.c.assignment_id
    )  # fmt: skip
    if student is not None:
        own = own.where(tables.submission.c.student_id == student)
    if step is not None:
        own = own.where(tables.assignment.c.name == step)
    same = update(tables.notebook).where(tables.notebook.c.assignment_id.in_(own))
    connection.execute(
        same.values(late_submission_penalty=tables.notebook.c.late_submission_penalty)
    )


def _computed(room: Room, rules: Rules, rows: list[Row[Any]]) -> list[tuple[Row[Any], Late]]:
    """What each submission costs by these rules."""
    file, theirs = (room.root / FILE).exists(), _other_plugin(room)
    found = []
    for row in rows:
        due, handed_in = _utc(row.duedate), _utc(row.timestamp)
        standing, before = float(row.late_submission_penalty or 0.0), row.extension or _NONE
        # An extension without a due date would stop nbgrader at its student.
        extension = late = _NONE
        if due is not None:
            extension = rules.more_time(row.student, row.step, due) if file else before
            due += extension
            late = max(late, handed_in - due) if handed_in else late
        days = rules.days(row.step, late)
        penalty = min(rules.taken(row.step, days, row.out_of), max(0.0, row.earned))
        one = Late(
            student=row.student, step=row.step, handed_in=handed_in, due=due, late=late, days=days,
            extension=extension, extension_before=before,
            penalty=standing if theirs else penalty, before=standing,
        )  # fmt: skip
        found.append((row, one))
    return found


_NONE = dt.timedelta()


def _write(connection: Connection, row: Row[Any], one: Late) -> None:
    where = {"student": one.student, "step": one.step}
    if abs(one.penalty - one.before) > 1e-9:
        audit_log.note(
            connection, audit_log.line("penalty", **where, before=one.before, after=one.penalty)
        )
        connection.execute(
            update(tables.notebook)
            .where(tables.notebook.c.id == row.id)
            .values(late_submission_penalty=one.penalty or None)
        )
    if one.extension != one.extension_before:
        hours = [f"{it.total_seconds() / 3600:g} h" for it in (one.extension_before, one.extension)]
        audit_log.note(
            connection, audit_log.line("extension", **where, before=hours[0], after=hours[1])
        )
        connection.execute(
            update(tables.submission)
            .where(tables.submission.c.id == row.submission)
            .values(extension=one.extension or None)
        )


def _standing(connection: Connection, student: str, step: str) -> float | None:
    """The penalty in the gradebook."""
    wanted = (
        select(tables.notebook.c.late_submission_penalty)
        .join(tables.submission, tables.submission.c.id == tables.notebook.c.assignment_id)
        .join(tables.assignment, tables.assignment.c.id == tables.submission.c.assignment_id)
        .where(tables.submission.c.student_id == student, tables.assignment.c.name == step)
    )
    penalty: float | None = connection.execute(wanted).scalar()
    return penalty


def _other_plugin(room: Room) -> str:
    """The late plugin that the room's configuration has in place of ours; empty if it is ours."""
    plugin = room.config.AssignLatePenalties.get("plugin_class", LatePenalty)
    name = plugin if isinstance(plugin, str) else f"{plugin.__module__}.{plugin.__qualname__}"
    return "" if name == f"{LatePenalty.__module__}.{LatePenalty.__qualname__}" else name


def _unknown(room: Room, rules: Rules, known: set[str]) -> list[str]:
    students = {id_key(one) for one in known}
    return [
        f"{room.root / FILE}, line {line.line}: the gradebook doesn't know a student "
        f"“{line.student}”. Mend the id, or bring your class list in first (pcn roster)."
        for line in sorted(rules.extensions, key=lambda one: one.line)
        if id_key(line.student) not in students
    ]


def _notes(room: Room, rules: Rules, known: set[str], found: list[Late]) -> list[str]:
    """Lines that are right and change nothing; one of them may hold a slip."""
    notes = []
    students = {id_key(one) for one in known}
    for line in sorted(rules.extensions, key=lambda one: one.line):
        where = f"{room.root / FILE}, line {line.line}"
        if id_key(line.student) in students and isinstance(line.until, dt.datetime):
            theirs = [
                one
                for one in found
                if id_key(one.student) == id_key(line.student)
                and line.step in (one.step, ALL)
                and one.due
            ]
            if theirs and not any(one.extension for one in theirs):
                notes.append(
                    f"{where}: this is not after the due date in the gradebook, so it gives "
                    f"{line.student} no more time."
                )
    return notes


def _utc(naive: dt.datetime | None) -> dt.datetime | None:
    """nbgrader's times are UTC and don't say so."""
    return naive.replace(tzinfo=dt.UTC) if naive else None
