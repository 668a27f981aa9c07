"""What a second marker gives: points of their own, beside the gradebook and blind to it.

Nothing of it reaches a student, and no first mark reaches a second marker. Who gave the first mark
can't give the second. Who has seen both can't change theirs, and can't add a further one. A second
mark on answers that the student has replaced is to be given again.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from pcn_course.grading.agreement.calibration import is_calibration
from pcn_course.grading.gradebook import audit_log
from pcn_course.grading.gradebook.marks import ANEW, UNSEEN, Conflict, Marking
from pcn_course.grading.gradebook.schema import now, reopenings, second_marks
from pcn_course.grading.gradebook.scores import Mark, MarkError, Submission
from pcn_course.grading.gradebook.second_marks import Place, first_marked, looked_at

OWN = "You gave the first mark here, so the second has to be somebody else's. Nothing was changed."

LOOKED = (
    "You have seen the first mark beside yours, so yours stays as it is, or it would no longer be "
    "blind. Where the two differ, settle it under “Second marking”. Nothing was changed."
)

SEEN = (
    "You have seen what others gave here, under “Second marking”, so a mark of yours would not be "
    "blind. Leave it to somebody who hasn't looked there. Nothing was changed."
)


class _Known(msgspec.Struct, frozen=True):
    """What decides whether a marker can give a second mark: in which places they can't, and why."""

    own: set[Place]
    """Their own are the first marks."""
    looked: set[Place]
    """They have seen first and second marks."""
    anew: dict[str, dt.datetime]
    """When students brought new answers, after which marks are to be given again."""

    def outdated(self, row: Row[Any] | None) -> bool:
        """Whether a mark is about other answers than are there now."""
        return row is not None and row.student in self.anew and row.at <= self.anew[row.student]


class SecondMarks:
    """The second marks of one marker."""

    def __init__(self, gradebook: Marking) -> None:
        self._gradebook = gradebook
        self._engine = gradebook.room.engine
        self._marker = gradebook.marker

    def marks(self, submission: Submission) -> dict[str, Mark]:
        """The marker's own marks of a submission; ``open`` where they can still give one."""
        return self.of_step((submission,), submission.step)[submission.student.id]

    def of_step(
        self, submissions: tuple[Submission, ...], step_id: str
    ) -> dict[str, dict[str, Mark]]:
        """The marker's own marks of a step, by student and criterion."""
        wanted = select(second_marks).where(
            second_marks.c.step == step_id, second_marks.c.marker == self._marker
        )
        with self._engine.connect() as connection:
            rows = {(row.student, row.criterion): row for row in connection.execute(wanted)}
            known = self._known(connection, step_id)
        return {
            one.student.id: {
                criterion: self._mark(
                    row := rows.get((one.student.id, criterion)),
                    opens=(row is None or row.points is None or known.outdated(row))
                    and self._why_not(known, one.student.id, criterion, first, row) is None,
                )
                for criterion, first in one.marks.items()
            }
            for one in submissions
        }

    def give(
        self,
        submission: Submission,
        criterion: str,
        points: float | None,
        seen: float | None,
        *,
        sha256: str | None = None,
    ) -> None:
        """Write the points of a criterion; ``None`` takes them away.

        ``sha256``: the answers that the marker read, where that is known.

        Raises:
            Conflict: the same marker has given another mark elsewhere, or there are new answers.
            MarkError: the rubric has no such criterion or points, the first mark is theirs, or they
                have seen first and second marks here.
        """
        known = self._gradebook.criteria.get(criterion)
        # This order refuses NaN, too.
        if known and points is not None and not 0 <= points <= known.points:
            raise MarkError(f"Points are from 0 to {known.points:g}. Nothing was changed.")
        self._write(submission, criterion, "points", points, seen, sha256)

    def say(self, submission: Submission, criterion: str, note: str, seen: str) -> None:
        """Write the note on a criterion, for whoever settles a difference.

        Raises:
            Conflict: the same marker has written another note elsewhere.
            MarkError: the rubric has no such criterion, or the first mark is theirs.
        """
        note = note.replace("\0", "").strip()
        self._write(submission, criterion, "note", note or None, seen or None)

    def _write(
        self,
        submission: Submission,
        criterion: str,
        column: str,
        value: Any,
        seen: Any,
        sha256: str | None = None,
    ) -> None:
        first = submission.marks.get(criterion)
        if first is None:
            raise MarkError(f"The rubric has no criterion {criterion!r}.")
        place = {
            "student": submission.student.id, "step": submission.step, "criterion": criterion,
            "marker": self._marker,
        }  # fmt: skip
        own = [second_marks.c[name] == one for name, one in place.items()]
        with self._engine.begin() as connection:
            row = connection.execute(select(second_marks).where(*own)).first()
            kept = row._mapping[column] if row else None  # noqa: SLF001 (SQLAlchemy's public name)
            known = self._known(connection, submission.step, submission.student.id)
            why_not = self._why_not(known, submission.student.id, criterion, first, row)
            if why_not == OWN:
                raise MarkError(OWN)
            answers = submission.student.id, submission.step
            if sha256 is not None and sha256 != self._gradebook.sha256(*answers):
                raise Conflict(ANEW, self._mark(row), anew=True)
            if seen is not UNSEEN and kept not in (seen, value):
                raise self._conflict(row)
            changed = kept != value
            if column == "points" and value is not None:
                changed = changed or known.outdated(row)
            if column == "points" and changed and why_not:
                raise MarkError(why_not)
            if changed:
                told = (kept, value) if column == "points" else (len(kept or ""), len(value or ""))
                second = audit_log.line(
                    f"second {'mark' if column == 'points' else 'note'}", **place,
                    before=told[0], after=told[1],
                )  # fmt: skip
                audit_log.note(connection, second)
            if row is None:
                self._insert(connection, {**place, column: value, "at": now()})
                return
            written = connection.execute(
                update(second_marks)
                .where(*own, second_marks.c[column].is_not_distinct_from(kept))
                # The time is that of the mark; a note may come later.
                .values({column: value, "at": now() if column == "points" and changed else row.at})
            )
            if written.rowcount != 1:
                raise self._conflict(row)

    def _insert(self, connection: Connection, values: dict[str, Any]) -> None:
        try:
            connection.execute(insert(second_marks).values(**values))
        except IntegrityError:
            raise self._conflict(None) from None

    def _conflict(self, row: Row[Any] | None) -> Conflict:
        return Conflict("You have marked this in another window, too.", self._mark(row))

    def _known(self, connection: Connection, step_id: str, student: str | None = None) -> _Known:
        where = connection, self._marker, step_id, student
        return _Known(
            own=first_marked(*where),
            # In a calibration one marks and looks in turn, to learn from it.
            looked=set() if is_calibration(self._gradebook.room) else looked_at(*where),
            anew=reopenings(connection, step_id, student),
        )

    def _why_not(
        self, known: _Known, student: str, criterion: str, first: Mark, row: Row[Any] | None
    ) -> str | None:
        """Why the marker can't give a mark here, in words; ``None`` where they can."""
        if first.by == self._marker or (student, criterion) in known.own:
            return OWN
        # What waits for a mark, or for a new look at it, is not shown beside second marks.
        if first.open or (student, criterion) not in known.looked:
            return None
        given = row is not None and row.points is not None and not known.outdated(row)
        return LOOKED if given else SEEN

    def _mark(self, row: Row[Any] | None, *, opens: bool = False) -> Mark:
        return Mark(
            points=row.points if row else None,
            comment=(row.note or "") if row else "",
            open=opens,
            by=self._marker if row else None,
            at=row.at if row else None,
        )
