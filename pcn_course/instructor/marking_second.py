"""What a second marker gives: points of their own, beside the gradebook and blind to it.

Nothing of it reaches a student, and no first mark reaches a second marker. Who gave the first mark
can't give the second. Who has seen both can't change theirs.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from pcn_course.grading import audit
from pcn_course.grading.calibration import is_calibration
from pcn_course.grading.marks import UNSEEN, Conflict, Marking
from pcn_course.grading.records import now, second_marks
from pcn_course.grading.scores import Mark, MarkError, Submission
from pcn_course.grading.second import last_look

OWN = "You gave the first mark here, so the second has to be somebody else's. Nothing was changed."

LOOKED = (
    "You have seen the first mark beside yours, so yours stays as it is, or it would no longer be "
    "blind. Where the two differ, settle it under “Second marking”. Nothing was changed."
)


class SecondMarks:
    """The second marks of one marker."""

    def __init__(self, gradebook: Marking) -> None:
        """Take the gradebook as the marker works on it."""
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
        return {
            one.student.id: {
                criterion: self._mark(rows.get((one.student.id, criterion)), first)
                for criterion, first in one.marks.items()
            }
            for one in submissions
        }

    def give(
        self, submission: Submission, criterion: str, points: float | None, seen: float | None
    ) -> None:
        """Write the points of a criterion; ``None`` takes them away.

        Raises:
            Conflict: the same marker has given another mark elsewhere.
            MarkError: the rubric has no such criterion or points, or the first mark is theirs.
        """
        known = self._gradebook.criteria.get(criterion)
        # This order refuses NaN, too.
        if known and points is not None and not 0 <= points <= known.points:
            raise MarkError(f"Points are from 0 to {known.points:g}. Nothing was changed.")
        self._write(submission, criterion, "points", points, seen)

    def say(self, submission: Submission, criterion: str, note: str, seen: str) -> None:
        """Write the note on a criterion, for whoever settles a difference.

        Raises:
            Conflict: the same marker has written another note elsewhere.
            MarkError: the rubric has no such criterion, or the first mark is theirs.
        """
        note = note.replace("\0", "").strip()
        self._write(submission, criterion, "note", note or None, seen or None)

    def _write(
        self, submission: Submission, criterion: str, column: str, value: Any, seen: Any
    ) -> None:
        first = submission.marks.get(criterion)
        if first is None:
            raise MarkError(f"The rubric has no criterion {criterion!r}.")
        if first.by == self._marker:
            raise MarkError(OWN)
        place = {
            "student": submission.student.id, "step": submission.step, "criterion": criterion,
            "marker": self._marker,
        }  # fmt: skip
        own = [second_marks.c[name] == one for name, one in place.items()]
        with self._engine.begin() as connection:
            row = connection.execute(select(second_marks).where(*own)).first()
            kept = row._mapping[column] if row else None  # noqa: SLF001 (SQLAlchemy's public name)
            if seen is not UNSEEN and kept not in (seen, value):
                raise self._conflict(row)
            if column == "points" and row and row.points is not None and kept != value:
                looked = last_look(connection, self._marker, submission.step)
                both = first.points is not None and max(row.at, first.at or row.at)
                if looked and both and looked >= both and not is_calibration(self._gradebook.room):
                    raise MarkError(LOOKED)
            if kept != value:
                told = (kept, value) if column == "points" else (len(kept or ""), len(value or ""))
                second = audit.line(
                    f"second {'mark' if column == 'points' else 'note'}", **place,
                    before=told[0], after=told[1],
                )  # fmt: skip
                audit.note(connection, second)
            if row is None:
                self._insert(connection, {**place, column: value, "at": now()})
                return
            written = connection.execute(
                update(second_marks)
                .where(*own, second_marks.c[column].is_not_distinct_from(kept))
                # The time is that of the mark; a note may come later.
                .values({column: value, "at": now() if column == "points" else row.at})
            )
            if written.rowcount != 1:
                raise self._conflict(row)

    def _insert(self, connection: Connection, values: dict[str, Any]) -> None:
        try:
            connection.execute(insert(second_marks).values(**values))
        except IntegrityError:
            raise self._conflict(None) from None

    def _conflict(self, row: Row[Any] | None) -> Conflict:
        return Conflict("You have marked this in another window, too.", self._mark(row, Mark()))

    def _mark(self, row: Row[Any] | None, first: Mark) -> Mark:
        points = row.points if row else None
        own = first.by == self._marker
        return Mark(
            points=points,
            comment=(row.note or "") if row else "",
            open=points is None and not own,
            by=self._marker if row else None,
            at=row.at if row else None,
        )
