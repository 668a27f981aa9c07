"""Marks: what a marker reads and gives, straight in nbgrader's gradebook.

A mark is nbgrader's own score of a task cell, and a comment nbgrader's own comment: formgrader and
its feedback show what was given here, and the other way round. A mark is only written over the one
that the marker saw (compare and set), so that two markers at once lose nothing silently.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from nbgrader import api
from sqlalchemy import Connection, Row, Select, delete, func, insert, or_, select, update

from pcn_course.answers import FILE
from pcn_course.course import Criterion
from pcn_course.grading.late import recalculate_one
from pcn_course.grading.notebooks import STRUCTURE
from pcn_course.grading.records import (
    events,
    highlights,
    log_event,
    make_tables,
    notes,
    now,
    phrases,
)
from pcn_course.grading.room import Person, Room

UNSEEN: Any = object()
"""For ``seen``: whatever stands there is written over. For imports and scripts, not for a page."""
MAX_COMMENT = 20_000
"""Characters of a comment."""
T = TypeVar("T")


class MarkError(Exception):
    """A mark can't be given. ``plain`` says why and what to do."""

    def __init__(self, plain: str) -> None:
        """Take the sentence for the marker."""
        super().__init__(plain)
        self.plain = plain


class Conflict(MarkError):  # noqa: N818 (what markers call it)
    """Another marker was faster. ``current`` is what stands in the gradebook now."""

    def __init__(self, plain: str, current: Mark) -> None:
        """Take the sentence for the marker, and the mark that stands there."""
        super().__init__(plain)
        self.current = current


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


class Phrase(msgspec.Struct, frozen=True):
    """A comment in the bank; without criterion or step it is for all of them."""

    id: int
    text: str
    criterion: str | None
    step: str | None
    by: str
    used: int


class Highlight(msgspec.Struct, frozen=True, kw_only=True):
    """A passage of an answer with a comment; ``start`` and ``end`` count code points of the value.

    ``row`` (its id) and ``column`` are set where the answer is in a table.
    """

    id: int
    prompt: str
    row: str | None
    column: str | None
    start: int
    end: int
    passage: str
    comment: str
    criterion: str | None
    by: str


class Undone(msgspec.Struct, frozen=True):
    """What an undo took back."""

    student: str
    step: str
    criterion: str | None
    what: str
    before: Any
    after: Any


class Marking:
    """The gradebook as one marker works on it."""

    def __init__(self, room: Room, marker: str) -> None:
        """Take the room and the name under which changes are kept.

        Raises:
            RoomError: the gradebook can't be opened.
        """
        self.room = room
        self.marker = marker
        self.criteria: dict[str, Criterion] = {
            criterion.id: criterion for criterion in room.course.rubric.criteria
        }
        self._engine = room.engine
        make_tables(self._engine)

    # Reading

    def listed(self, step_id: str) -> tuple[Submission, ...]:
        """All submissions of a step, in an order that tells nothing about the students."""
        with self._engine.connect() as connection:
            found = self._submissions(connection, step_id, None)
        return tuple(sorted(found, key=lambda one: one.pseudonym))

    def submission(self, student: str, step_id: str) -> Submission:
        """One submission.

        Raises:
            MarkError: it is not in the gradebook.
        """
        with self._engine.connect() as connection:
            found = self._submissions(connection, step_id, student)
        if not found:
            raise MarkError(
                f"There is no submission of {step_id} by {student} in the gradebook. "
                "Collect and autograde first."
            )
        return found[0]

    def sha256(self, student: str, step_id: str) -> str:
        """The answers that are to be marked, as a hash; empty where there are none."""
        path = self.room.submission(student, step_id) / FILE
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    # Writing

    def give(
        self,
        student: str,
        step_id: str,
        criterion: str,
        points: float | None,
        *,
        seen: float | None = UNSEEN,
        what: str = "mark",
        undoes: int | None = None,
    ) -> Mark:
        """Write a criterion's points; ``None`` takes a mark away. The mark that now stands.

        ``seen`` is the mark that the marker saw when they decided; ``what`` and ``undoes`` are for
        the log.

        Raises:
            Conflict: another mark stands there by now; nothing was written.
            MarkError: the points or the criterion aren't in the rubric, or there is no submission.
        """
        self._check(criterion, points)
        with self._engine.begin() as connection:
            standing = self._standing(connection, student, step_id, criterion)
            if seen is not UNSEEN and standing.manual_score not in (seen, points):
                raise self._conflict(connection, student, step_id, criterion)
            written = connection.execute(
                update(_grade)
                .where(
                    _grade.c.id == standing.id,
                    _grade.c.manual_score.is_not_distinct_from(standing.manual_score),
                )
                .values(manual_score=points, needs_manual_grade=points is None)
            )
            if written.rowcount != 1:
                raise self._conflict(connection, student, step_id, criterion)
            if undoes or standing.manual_score != points or standing.needs_manual_grade:
                log_event(
                    connection, by=self.marker, student=student, step=step_id, what=what,
                    criterion=criterion, before=standing.manual_score, after=points, undoes=undoes,
                )  # fmt: skip
            recalculate_one(connection, self.room, student, step_id)
            return self._mark(connection, student, step_id, criterion)

    def say(
        self,
        student: str,
        step_id: str,
        criterion: str,
        comment: str,
        *,
        seen: str = UNSEEN,
        undoes: int | None = None,
    ) -> Mark:
        """Write a criterion's comment. The mark that now stands.

        Raises:
            Conflict: another comment stands there by now; nothing was written.
            MarkError: the comment is too long or holds what no text holds, or there is no
                submission.
        """
        comment = comment.replace("\0", "").strip()
        if len(comment) > MAX_COMMENT:
            raise MarkError(f"A comment can have {MAX_COMMENT} characters. Nothing was changed.")
        self._check(criterion, None)
        with self._engine.begin() as connection:
            grade = self._standing(connection, student, step_id, criterion)
            own = _comment.c.notebook_id == grade.notebook_id, _comment.c.cell_id == grade.cell_id
            standing = connection.execute(select(_comment).where(*own)).first()
            kept = standing.manual_comment if standing else None
            current = kept or ""
            if seen is not UNSEEN and current not in (seen, comment):
                raise self._conflict(connection, student, step_id, criterion)
            value = comment or None
            if standing is None:
                row = {"notebook_id": grade.notebook_id, "cell_id": grade.cell_id}
                new = insert(_comment).values(id=api.new_uuid(), manual_comment=value, **row)
                connection.execute(new)
            else:
                same = _comment.c.manual_comment.is_not_distinct_from(kept)
                changed = update(_comment).where(_comment.c.id == standing.id, same)
                if connection.execute(changed.values(manual_comment=value)).rowcount != 1:
                    raise self._conflict(connection, student, step_id, criterion)
            if undoes or current != comment:
                log_event(
                    connection, by=self.marker, student=student, step=step_id, what="comment",
                    criterion=criterion, before=current, after=comment, undoes=undoes,
                )  # fmt: skip
            return self._mark(connection, student, step_id, criterion)

    def undo(self, step_id: str, student: str | None = None) -> Undone | None:
        """Take back this marker's last change in a step (of one student, when named).

        A change is a mark, a comment, or a passage that was highlighted or is so no more.

        Undoing again takes back the one before it. Returns what was taken back, ``None`` when
        there is nothing left.

        Raises:
            Conflict: somebody has changed it since; nothing was written.
        """
        with self._engine.connect() as connection:
            taken_back = select(events.c.undoes).where(events.c.undoes.is_not(None))
            wanted = (
                select(events)
                .where(
                    events.c.by == self.marker,
                    events.c.step == step_id,
                    events.c.what.in_(("mark", "comment", "highlight")),
                    events.c.undoes.is_(None),
                    events.c.id.not_in(taken_back),
                )
                .order_by(events.c.id.desc())
                .limit(1)
            )
            if student is not None:
                wanted = wanted.where(events.c.student == student)
            last = connection.execute(wanted).first()
        if last is None:
            return None
        where = last.student, step_id, last.criterion
        if last.what == "highlight":
            self._undo_highlight(last)
            return Undone(*where, last.what, bool(last.before), bool(last.after))
        if last.what == "mark":
            self.give(*where, last.before, seen=last.after, undoes=last.id)
        else:
            self.say(*where, last.before or "", seen=last.after or "", undoes=last.id)
        return Undone(last.student, step_id, last.criterion, last.what, last.before, last.after)

    # The bank of comments

    def phrases(self, step_id: str | None = None, criterion: str | None = None) -> list[Phrase]:
        """The comments that fit a step and a criterion, the most used first."""
        wanted = select(phrases).order_by(phrases.c.used.desc(), phrases.c.id)
        for column, value in ((phrases.c.step, step_id), (phrases.c.criterion, criterion)):
            if value is not None:
                wanted = wanted.where(or_(column.is_(None), column == value))
        with self._engine.connect() as connection:
            return [_from(Phrase, row) for row in connection.execute(wanted)]

    def add_phrase(
        self, text: str, *, criterion: str | None = None, step: str | None = None
    ) -> Phrase:
        """Keep a comment for use again; one that is there already is not kept twice.

        Raises:
            MarkError: it is empty or too long.
        """
        text = _phrase(text)
        same = select(phrases).where(phrases.c.text == text)
        for column, value in ((phrases.c.criterion, criterion), (phrases.c.step, step)):
            same = same.where(column.is_not_distinct_from(value))
        with self._engine.begin() as connection:
            if connection.execute(same).first() is None:
                connection.execute(
                    insert(phrases).values(
                        text=text, criterion=criterion, step=step, by=self.marker, at=now(), used=0
                    )
                )
            return _from(Phrase, connection.execute(same).one())

    def change_phrase(self, phrase: int, text: str) -> None:
        """Reword a comment in the bank; where it was used, it stays as it was.

        Raises:
            MarkError: the new text is empty or too long.
        """
        with self._engine.begin() as connection:
            connection.execute(
                update(phrases).where(phrases.c.id == phrase).values(text=_phrase(text))
            )

    def remove_phrase(self, phrase: int) -> None:
        """Take a comment out of the bank."""
        with self._engine.begin() as connection:
            connection.execute(delete(phrases).where(phrases.c.id == phrase))

    def count_phrase(self, phrase: int) -> None:
        """A comment of the bank was used."""
        with self._engine.begin() as connection:
            connection.execute(
                update(phrases).where(phrases.c.id == phrase).values(used=phrases.c.used + 1)
            )

    # Passages

    def highlights(self, student: str, step_id: str) -> list[Highlight]:
        """The passages that were marked in a submission, in the order in which they were."""
        wanted = (
            select(highlights)
            .where(highlights.c.student == student, highlights.c.step == step_id)
            .order_by(highlights.c.id)
        )
        with self._engine.connect() as connection:
            return [_from(Highlight, row) for row in connection.execute(wanted)]

    def highlight(  # noqa: PLR0913 (a place in an answer has that many parts)
        self,
        student: str,
        step_id: str,
        *,
        prompt: str,
        start: int,
        end: int,
        passage: str,
        comment: str,
        row: str | None = None,
        column: str | None = None,
        criterion: str | None = None,
    ) -> Highlight:
        """Mark a passage with a comment.

        Raises:
            MarkError: the answer doesn't hold this passage there.
        """
        value = self._text(student, step_id, prompt, row, column)
        if not passage or value[start:end] != passage:
            raise MarkError(
                "This passage is not in the answer any more. Reload, and choose it again."
            )
        with self._engine.begin() as connection:
            made = connection.execute(
                insert(highlights).values(
                    student=student, step=step_id, prompt=prompt, row=row, column=column,
                    start=start, end=end, passage=passage, comment=comment[:MAX_COMMENT],
                    criterion=criterion, by=self.marker, at=now(),
                )
            )  # fmt: skip
            (number,) = made.inserted_primary_key or (0,)
            found = connection.execute(select(highlights).where(highlights.c.id == number)).one()
            self._log_highlight(connection, found, after=_kept(found))
            return _from(Highlight, found)

    def remove_highlight(self, highlight: int) -> None:
        """Take a passage's mark away."""
        with self._engine.begin() as connection:
            wanted = highlights.c.id == highlight
            if found := connection.execute(select(highlights).where(wanted)).first():
                connection.execute(delete(highlights).where(wanted))
                self._log_highlight(connection, found, before=_kept(found))

    def _log_highlight(
        self, connection: Connection, row: Row[Any], before: str = "", after: str = ""
    ) -> None:
        log_event(
            connection, by=self.marker, student=row.student, step=row.step,
            criterion=row.criterion, what="highlight", before=before or None, after=after or None,
        )  # fmt: skip

    def _undo_highlight(self, last: Row[Any]) -> None:
        """Take back that a passage was marked, or that its mark was taken away."""
        kept = json.loads(last.after or last.before)
        same = [highlights.c[name].is_not_distinct_from(value) for name, value in kept.items()]
        with self._engine.begin() as connection:
            if last.after:
                connection.execute(delete(highlights).where(*same))
            else:
                connection.execute(insert(highlights).values(**kept, at=now()))
            log_event(
                connection, by=self.marker, student=last.student, step=last.step,
                criterion=last.criterion, what="highlight", before=last.after, after=last.before,
                undoes=last.id,
            )  # fmt: skip

    def _text(
        self, student: str, step_id: str, key: str, row: str | None, column: str | None
    ) -> str:
        """A public answer as text; empty where there is none."""
        prompt = self.room.course.step(step_id).prompt(key)
        field = self.room.answers(student, step_id).fields.get(key)
        if prompt is None or prompt.private or field is None:
            return ""
        value = field.value
        if row is not None and isinstance(value, list):
            rows = [one for one in value if isinstance(one, dict) and one.get("id") == row]
            value = rows[0].get(column) if rows else None
        return value if isinstance(value, str) else ""

    # Inside

    def _check(self, criterion: str, points: float | None) -> None:
        known = self.criteria.get(criterion)
        if known is None and criterion != STRUCTURE:
            raise MarkError(f"The rubric has no criterion {criterion!r}.")
        most = known.points if known else self.room.course.rubric.structure
        # `not` and this order refuse NaN, too.
        if points is not None and not 0 <= points <= most:
            raise MarkError(f"Points are from 0 to {most:g}. Nothing was changed.")

    def _standing(
        self, connection: Connection, student: str, step_id: str, criterion: str
    ) -> Row[Any]:
        found = connection.execute(
            _grades(step_id, student).where(_cell.c.name == criterion)
        ).first()
        if found is None:
            raise MarkError(
                f"There is no submission of {step_id} by {student} in the gradebook. "
                "Collect and autograde first."
            )
        return found

    def _mark(self, connection: Connection, student: str, step_id: str, criterion: str) -> Mark:
        (found,) = self._submissions(connection, step_id, student)
        return found.marks.get(criterion) or Mark(found.structure, open=found.structure_open)

    def _conflict(
        self, connection: Connection, student: str, step_id: str, criterion: str
    ) -> Conflict:
        current = self._mark(connection, student, step_id, criterion)
        who = f"{current.by} was" if current.by and current.by != self.marker else "Somebody was"
        return Conflict(
            f"{who} faster: something else stands here now. Nothing of it was overwritten.", current
        )

    def _submissions(
        self, connection: Connection, step_id: str, student: str | None
    ) -> list[Submission]:
        scores: dict[str, list[Row[Any]]] = {}
        for row in connection.execute(_grades(step_id, student)):
            scores.setdefault(row.student, []).append(row)
        changed = _changes(connection, step_id, student)
        said: dict[str, list[str]] = {}
        wanted = select(notes).where(notes.c.step == step_id).order_by(notes.c.id)
        for note in connection.execute(wanted):
            said.setdefault(note.student, []).append(note.text)
        return [
            self._one(step_id, rows, changed, tuple(said.get(who, ())))
            for who, rows in scores.items()
        ]

    def _one(
        self,
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
        for criterion in self.criteria:
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
            pseudonym=pseudonym(self.room.course_id, step_id, first.student),
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
            for row in connection.execute(_grades(step_id, None))
        ]


def pseudonym(course_id: str, step_id: str, student: str) -> str:
    """A name for a submission that says nothing about its student, and stays the same."""
    digest = hashlib.sha256(f"{course_id}\0{step_id}\0{student}".encode()).digest()
    return base64.b32encode(digest)[:5].decode()


_grade = api.Grade.__table__
_cell = api.BaseCell.__table__
_graded_cell = api.GradeCell.__table__
_task_cell = api.TaskCell.__table__
_notebook = api.SubmittedNotebook.__table__
_handed_in = api.SubmittedAssignment.__table__
_assignment = api.Assignment.__table__
_student = api.Student.__table__
_comment = api.Comment.__table__


def _grades(step_id: str | None, student: str | None) -> Select[Any]:
    """All scores with what belongs to them, one row each."""
    wanted = (
        select(
            _grade,
            _cell.c.name.label("cell"),
            func.coalesce(_graded_cell.c.max_score, _task_cell.c.max_score).label("max_score"),
            _comment.c.manual_comment,
            _notebook.c.late_submission_penalty,
            _handed_in.c.timestamp,
            _handed_in.c.extension,
            _assignment.c.name.label("step"),
            _assignment.c.duedate,
            _student.c.id.label("student"),
            _student.c.first_name,
            _student.c.last_name,
            _student.c.email,
            _student.c.lms_user_id,
        )
        .select_from(_grade)
        .join(_cell, _cell.c.id == _grade.c.cell_id)
        .join(_notebook, _notebook.c.id == _grade.c.notebook_id)
        .join(_handed_in, _handed_in.c.id == _notebook.c.assignment_id)
        .join(_assignment, _assignment.c.id == _handed_in.c.assignment_id)
        .join(_student, _student.c.id == _handed_in.c.student_id)
        .outerjoin(_graded_cell, _graded_cell.c.id == _cell.c.id)
        .outerjoin(_task_cell, _task_cell.c.id == _cell.c.id)
        .outerjoin(
            _comment,
            (_comment.c.notebook_id == _grade.c.notebook_id)
            & (_comment.c.cell_id == _grade.c.cell_id),
        )
        .order_by(_student.c.id, _assignment.c.name)
    )
    if step_id is not None:
        wanted = wanted.where(_assignment.c.name == step_id)
    if student is not None:
        wanted = wanted.where(_student.c.id == student)
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


_PLACE = ("student", "step", "prompt", "row", "column", "start", "end", "passage", "comment")


def _kept(row: Row[Any]) -> str:
    """All of a highlight but its number, as text."""
    return json.dumps({name: getattr(row, name) for name in (*_PLACE, "criterion", "by")})


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


def _phrase(text: str) -> str:
    text = text.replace("\0", "").strip()
    if not text or len(text) > MAX_COMMENT:
        raise MarkError(f"A comment has 1 to {MAX_COMMENT} characters. Nothing was changed.")
    return text


def _from(kind: type[T], row: Row[Any]) -> T:
    """A row as the struct whose fields have the names of its columns."""
    fields: Iterable[str] = kind.__struct_fields__  # type: ignore[attr-defined]
    return kind(**{name: row._mapping[name] for name in fields})  # noqa: SLF001
