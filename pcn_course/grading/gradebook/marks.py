"""Marks: what a marker gives, straight in nbgrader's gradebook.

A mark is nbgrader's own score of a task cell, and a comment nbgrader's own comment: formgrader and
its feedback show what was given here, and the other way round. A mark is only written over the one
that the marker saw (compare and set), so that two markers at once lose nothing silently.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from nbgrader import api
from sqlalchemy import Connection, Row, func, insert, select, update

from pcn_course.answers.store import FILE
from pcn_course.grading.gradebook import tables
from pcn_course.grading.gradebook.annotations import Passages
from pcn_course.grading.gradebook.comment_bank import PhraseBank
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.schema import REOPENED, events, log_event, make_tables
from pcn_course.grading.gradebook.scores import (
    MAX_COMMENT,
    Mark,
    MarkError,
    NoSubmissionError,
    Submission,
    criteria_of,
    read_submissions,
    score_rows,
)
from pcn_course.grading.late.penalties import recalculate_one
from pcn_course.grading.notebooks import STRUCTURE

UNSEEN: Any = object()
"""For ``seen``: whatever stands there is written over. For imports and scripts, not for a page."""


ANEW = (
    "The student has handed in anew since you read it: read the new answers first. Nothing was "
    "changed."
)


class Conflict(MarkError):  # noqa: N818 (what markers call it)
    """Another marker was faster, or the student. ``current`` is what stands in the gradebook now.

    ``anew``: there are new answers, which the marker hasn't read.
    """

    def __init__(self, plain: str, current: Mark, *, anew: bool = False) -> None:
        super().__init__(plain)
        self.current = current
        self.anew = anew


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

        ``phrases`` is the bank of comments, ``passages`` what is highlighted in answers.

        Raises:
            RoomError: the gradebook can't be opened.
        """
        self.room = room
        self.marker = marker
        self.criteria = criteria_of(room)
        self._engine = room.engine
        make_tables(self._engine)
        self.phrases = PhraseBank(self._engine, marker)
        self.passages = Passages(room, marker)

    # Reading

    def listed(self, step_id: str) -> tuple[Submission, ...]:
        """All submissions of a step, in an order that tells nothing about the students."""
        with self._engine.connect() as connection:
            found = read_submissions(connection, self.room, step_id)
        return tuple(sorted(found, key=lambda one: one.pseudonym))

    def submission(self, student: str, step_id: str) -> Submission:
        """One submission.

        Raises:
            MarkError: it is not in the gradebook.
        """
        with self._engine.connect() as connection:
            found = read_submissions(connection, self.room, step_id, student)
        if not found:
            raise NoSubmissionError(student, step_id)
        return found[0]

    def sha256(self, student: str, step_id: str) -> str:
        """The answers that are to be marked, as a hash; empty where there are none.

        Ask before reading them: a hash that is too old is told, one that is too new is not.
        """
        path = self.room.submission(student, step_id) / FILE
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    # Writing

    def give(  # noqa: PLR0913 (a mark, and what the marker knew when they gave it)
        self,
        student: str,
        step_id: str,
        criterion: str,
        points: float | None,
        *,
        seen: float | None = UNSEEN,
        sha256: str | None = None,
        what: str = "mark",
        undoes: int | None = None,
    ) -> Mark:
        """Write a criterion's points; ``None`` takes a mark away. The mark that now stands.

        ``seen`` is the mark that the marker saw when they decided, ``sha256`` the answers that they
        read, where that is known; ``what`` and ``undoes`` are for the log. A mark that an undo
        brings back asks for a new look if it is older than the answers.

        Raises:
            Conflict: another mark or other answers are there by now; nothing was written.
            MarkError: the points or the criterion aren't in the rubric, or there is no submission.
        """
        self._check(criterion, points)
        with self._engine.begin() as connection:
            where = connection, student, step_id, criterion
            standing = self._standing(*where)
            if sha256 is not None and sha256 != self.sha256(student, step_id):
                raise Conflict(ANEW, self._mark(*where), anew=True)
            if seen is not UNSEEN and standing.manual_score not in (seen, points):
                raise self._conflict(*where)
            opens = points is None
            if undoes is not None and not opens:
                opens = bool(standing.needs_manual_grade) or self._outdated(*where, undoes)
            written = connection.execute(
                update(tables.grade)
                .where(
                    tables.grade.c.id == standing.id,
                    tables.grade.c.manual_score.is_not_distinct_from(standing.manual_score),
                )
                .values(manual_score=points, needs_manual_grade=opens)
            )
            if written.rowcount != 1:
                raise self._conflict(*where)
            changed = standing.manual_score != points or standing.needs_manual_grade
            # A settlement is told even of a mark that stays: figures ask what stood before it.
            if undoes or changed or what == "settled":
                log_event(
                    connection, by=self.marker, student=student, step=step_id, what=what,
                    criterion=criterion, before=standing.manual_score, after=points, undoes=undoes,
                )  # fmt: skip
            recalculate_one(connection, self.room, student, step_id)
            return self._mark(*where)

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
            own = (
                tables.comment.c.notebook_id == grade.notebook_id,
                tables.comment.c.cell_id == grade.cell_id,
            )
            standing = connection.execute(select(tables.comment).where(*own)).first()
            kept = standing.manual_comment if standing else None
            current = kept or ""
            if seen is not UNSEEN and current not in (seen, comment):
                raise self._conflict(connection, student, step_id, criterion)
            value = comment or None
            if standing is None:
                row = {"notebook_id": grade.notebook_id, "cell_id": grade.cell_id}
                new = insert(tables.comment).values(id=api.new_uuid(), manual_comment=value, **row)
                connection.execute(new)
            else:
                same = tables.comment.c.manual_comment.is_not_distinct_from(kept)
                changed = update(tables.comment).where(tables.comment.c.id == standing.id, same)
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
            self.passages.undo(last)
            return Undone(*where, last.what, bool(last.before), bool(last.after))
        if last.what == "mark":
            self.give(*where, last.before, seen=last.after, undoes=last.id)
        else:
            self.say(*where, last.before or "", seen=last.after or "", undoes=last.id)
        return Undone(last.student, step_id, last.criterion, last.what, last.before, last.after)

    # Inside

    def _outdated(
        self, connection: Connection, student: str, step_id: str, criterion: str, undone: int
    ) -> bool:
        """Whether the mark before a change (by its number in the log) is older than the answers."""
        own = events.c.step == step_id, events.c.student == student
        taken_back = select(events.c.undoes).where(*own, events.c.undoes.is_not(None))
        before = select(func.max(events.c.id)).where(
            *own,
            events.c.criterion == criterion,
            events.c.what.in_(("mark", "settled")),
            events.c.id < undone,
            events.c.undoes.is_(None),
            events.c.id.not_in(taken_back),
        )
        anew = select(func.max(events.c.id)).where(*own, events.c.what == REOPENED)
        return (connection.scalar(anew) or 0) > (connection.scalar(before) or 0)

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
            score_rows(step_id, student).where(tables.cell.c.name == criterion)
        ).first()
        if found is None:
            raise NoSubmissionError(student, step_id)
        return found

    def _mark(self, connection: Connection, student: str, step_id: str, criterion: str) -> Mark:
        (found,) = read_submissions(connection, self.room, step_id, student)
        return found.marks.get(criterion) or Mark(found.structure, open=found.structure_open)

    def _conflict(
        self, connection: Connection, student: str, step_id: str, criterion: str
    ) -> Conflict:
        current = self._mark(connection, student, step_id, criterion)
        who = f"{current.by} was" if current.by and current.by != self.marker else "Somebody was"
        return Conflict(
            f"{who} faster: something else stands here now. Nothing of it was overwritten.", current
        )
