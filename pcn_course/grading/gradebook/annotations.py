"""Passages of answers that a marker highlighted, each with a comment."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select

from pcn_course.answers.store import Submitted
from pcn_course.answers.values import TEXTS, words_at
from pcn_course.course import Step
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.gradebook.schema import as_struct, highlights, log_event, now
from pcn_course.grading.gradebook.scores import MAX_COMMENT, MarkError

_PLACE = ("student", "step", "prompt", "row", "column", "start", "end", "passage", "comment")


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


class Passages:
    """The highlighted passages, as one marker works on them; the gradebook has our tables."""

    def __init__(self, room: Room, marker: str) -> None:
        self._room = room
        self._marker = marker
        self._engine = room.engine

    def of(self, student: str, step_id: str) -> list[Highlight]:
        """The passages that were marked in a submission, in the order in which they were."""
        wanted = (
            select(highlights)
            .where(highlights.c.student == student, highlights.c.step == step_id)
            .order_by(highlights.c.id)
        )
        with self._engine.connect() as connection:
            return [as_struct(Highlight, row) for row in connection.execute(wanted)]

    def mark(  # noqa: PLR0913 (a place in an answer has that many parts)
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
        answers = self._room.answers(student, step_id)
        value = text_of(self._room.course.step(step_id), answers, prompt, row, column)
        if not passage or value[start:end] != passage:
            raise MarkError(
                "This passage is not in the answer any more. Reload, and choose it again."
            )
        with self._engine.begin() as connection:
            made = connection.execute(
                insert(highlights).values(
                    student=student, step=step_id, prompt=prompt, row=row, column=column,
                    start=start, end=end, passage=passage, comment=comment[:MAX_COMMENT],
                    criterion=criterion, by=self._marker, at=now(),
                )
            )  # fmt: skip
            (number,) = made.inserted_primary_key or (0,)
            found = connection.execute(select(highlights).where(highlights.c.id == number)).one()
            self._log(connection, found, after=_kept(found))
            return as_struct(Highlight, found)

    def unmark(self, highlight: int) -> None:
        """Take a passage's mark away."""
        with self._engine.begin() as connection:
            wanted = highlights.c.id == highlight
            if found := connection.execute(select(highlights).where(wanted)).first():
                connection.execute(delete(highlights).where(wanted))
                self._log(connection, found, before=_kept(found))

    def _log(
        self, connection: Connection, row: Row[Any], before: str = "", after: str = ""
    ) -> None:
        log_event(
            connection, by=self._marker, student=row.student, step=row.step,
            criterion=row.criterion, what="highlight", before=before or None, after=after or None,
        )  # fmt: skip

    def undo(self, last: Row[Any]) -> None:
        """Take back that a passage was marked, or that its mark was taken away."""
        kept = json.loads(last.after or last.before)
        same = [highlights.c[name].is_not_distinct_from(value) for name, value in kept.items()]
        with self._engine.begin() as connection:
            if last.after:
                connection.execute(delete(highlights).where(*same))
            else:
                connection.execute(insert(highlights).values(**kept, at=now()))
            log_event(
                connection, by=self._marker, student=last.student, step=last.step,
                criterion=last.criterion, what="highlight", before=last.after, after=last.before,
                undoes=last.id,
            )  # fmt: skip


def text_of(step: Step, submitted: Submitted, key: str, row: str | None, column: str | None) -> str:
    """Return the words of a public answer in which a passage can be marked; "" without any."""
    prompt = (submitted.step or step).prompt(key)
    field = submitted.fields.get(key)
    if prompt is None or prompt.private or field is None:
        return ""
    if row is None and column is None:
        return words_at(field.value) if prompt.kind in TEXTS else ""
    cells = [cell.key for cell in prompt.columns if not cell.private and cell.kind in TEXTS]
    return words_at(field.value, row or "", column) if column in cells else ""


def _kept(row: Row[Any]) -> str:
    """All of a highlight but its number, as text."""
    return json.dumps({name: getattr(row, name) for name in (*_PLACE, "criterion", "by")})
