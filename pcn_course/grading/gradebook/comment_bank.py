"""The bank of comments: what markers say again and again, kept once for all of them."""

from __future__ import annotations

import msgspec
from sqlalchemy import Engine, delete, insert, or_, select, update

from pcn_course.grading.gradebook.schema import as_struct, now, phrases
from pcn_course.grading.gradebook.scores import MAX_COMMENT, MarkError


class Phrase(msgspec.Struct, frozen=True):
    """A comment in the bank; without criterion or step it is for all of them."""

    id: int
    text: str
    criterion: str | None
    step: str | None
    by: str
    used: int


class PhraseBank:
    """The bank as one marker uses it; the gradebook has our tables already."""

    def __init__(self, engine: Engine, marker: str) -> None:
        self._engine = engine
        self._marker = marker

    def fitting(self, step_id: str | None = None, criterion: str | None = None) -> list[Phrase]:
        """The comments that fit a step and a criterion, the most used first."""
        wanted = select(phrases).order_by(phrases.c.used.desc(), phrases.c.id)
        for column, value in ((phrases.c.step, step_id), (phrases.c.criterion, criterion)):
            if value is not None:
                wanted = wanted.where(or_(column.is_(None), column == value))
        with self._engine.connect() as connection:
            return [as_struct(Phrase, row) for row in connection.execute(wanted)]

    def add(self, text: str, *, criterion: str | None = None, step: str | None = None) -> Phrase:
        """Keep a comment for use again; one that is there already is not kept twice.

        Raises:
            MarkError: it is empty or too long.
        """
        text = _checked(text)
        same = select(phrases).where(phrases.c.text == text)
        for column, value in ((phrases.c.criterion, criterion), (phrases.c.step, step)):
            same = same.where(column.is_not_distinct_from(value))
        with self._engine.begin() as connection:
            if connection.execute(same).first() is None:
                connection.execute(
                    insert(phrases).values(
                        text=text, criterion=criterion, step=step, by=self._marker, at=now(), used=0
                    )
                )
            return as_struct(Phrase, connection.execute(same).one())

    def change(self, phrase: int, text: str) -> None:
        """Reword a comment in the bank; where it was used, it stays as it was.

        Raises:
            MarkError: the new text is empty or too long.
        """
        with self._engine.begin() as connection:
            connection.execute(
                update(phrases).where(phrases.c.id == phrase).values(text=_checked(text))
            )

    def remove(self, phrase: int) -> None:
        """Take a comment out of the bank."""
        with self._engine.begin() as connection:
            connection.execute(delete(phrases).where(phrases.c.id == phrase))

    def used(self, phrase: int) -> None:
        """A comment of the bank was used."""
        with self._engine.begin() as connection:
            connection.execute(
                update(phrases).where(phrases.c.id == phrase).values(used=phrases.c.used + 1)
            )


def _checked(text: str) -> str:
    text = text.replace("\0", "").strip()
    if not text or len(text) > MAX_COMMENT:
        raise MarkError(f"A comment has 1 to {MAX_COMMENT} characters. Nothing was changed.")
    return text
