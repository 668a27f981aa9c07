"""Requests for regrading: what a student asks to be looked at again, and what was answered.

They stand in the gradebook's database, beside the marks: a request is answered once, on record,
with the points before and after. A mark that changes by it is an ordinary mark.
"""

from __future__ import annotations

import datetime as dt

import msgspec
from sqlalchemy import Engine, insert, select, update

from pcn_course.grading.marks import MAX_COMMENT, Marking
from pcn_course.grading.records import log_event, make_tables, now, requests

MAX_TEXT = 4_000
"""Characters of a request."""


class RequestError(Exception):
    """A request can't be kept or answered. ``plain`` says why and what to do."""

    def __init__(self, plain: str) -> None:
        """Take the sentence for whoever asked or answers."""
        super().__init__(plain)
        self.plain = plain


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A wish that something be looked at again. ``criterion`` is None where it is about the whole.

    ``before`` and ``after`` are the criterion's points when it was answered.
    """

    id: int
    student: str
    step: str
    criterion: str | None
    text: str
    at: dt.datetime
    answer: str | None = None
    answered_by: str | None = None
    answered_at: dt.datetime | None = None
    before: float | None = None
    after: float | None = None


def requests_of(
    engine: Engine, *, step: str | None = None, student: str | None = None
) -> list[Request]:
    """All requests of a step or a student, the oldest first."""
    make_tables(engine)
    wanted = select(requests).order_by(requests.c.id)
    for column, value in ((requests.c.step, step), (requests.c.student, student)):
        if value is not None:
            wanted = wanted.where(column == value)
    with engine.connect() as connection:
        return [Request(**row) for row in connection.execute(wanted).mappings()]


def ask(marking: Marking, student: str, step: str, criterion: str | None, text: str) -> Request:
    """Keep a request; the same words about the same criterion are kept once.

    Raises:
        RequestError: there are no words, too many, or the rubric has no such criterion.
        MarkError: the student has no submission of this step in the gradebook.
    """
    text = _words(text, MAX_TEXT, "A request")
    if criterion is not None and criterion not in marking.criteria:
        raise RequestError(f"The rubric has no criterion {criterion!r}.")
    marking.submission(student, step)
    engine = marking.room.engine
    for one in requests_of(engine, step=step, student=student):
        if (one.criterion, one.text) == (criterion, text):
            return one
    with engine.begin() as connection:
        at = log_event(
            connection, by=student, student=student, step=step, what="request",
            criterion=criterion,
        )  # fmt: skip
        row = {"student": student, "step": step, "criterion": criterion, "text": text, "at": at}
        connection.execute(insert(requests).values(row))
    return requests_of(engine, step=step, student=student)[-1]


def answer(marking: Marking, number: int, text: str, points: float | None = None) -> Request:
    """Answer a request on record; with ``points``, the criterion gets them.

    Raises:
        RequestError: there is no such request, it was answered, or the words are missing.
        MarkError: the points can't be given, or another marker changed them at this moment.
    """
    text = _words(text, MAX_COMMENT, "An answer")
    engine = marking.room.engine
    found = next((one for one in requests_of(engine) if one.id == number), None)
    if found is None:
        raise RequestError(f"There is no request {number}. `--requests` lists them.")
    if found.answer is not None:
        raise RequestError(
            f"Request {number} was answered by {found.answered_by} already. Answers stay as they "
            "are; a mark can still be changed on the marking page."
        )
    before = after = None
    if found.criterion:
        before = marking.submission(found.student, found.step).marks[found.criterion].points
        after = before
    if points is not None:
        if not found.criterion:
            raise RequestError(
                "This request is about the whole, so no points go with its answer. Change marks "
                "on the marking page, and say here what you did."
            )
        marking.give(found.student, found.step, found.criterion, points, seen=before)
        after = points
    with engine.begin() as connection:
        written = connection.execute(
            update(requests)
            .where(requests.c.id == number, requests.c.answer.is_(None))
            .values(
                answer=text, answered_by=marking.marker, answered_at=now(), before=before,
                after=after,
            )
        )  # fmt: skip
        if written.rowcount != 1:
            raise RequestError(f"Request {number} was answered by somebody else just now.")
        log_event(
            connection, by=marking.marker, student=found.student, step=found.step,
            what="request", criterion=found.criterion, before=before, after=after,
        )  # fmt: skip
    return next(one for one in requests_of(engine) if one.id == number)


def _words(text: str, most: int, what: str) -> str:
    text = text.replace("\0", "").strip()
    if not text or len(text) > most:
        raise RequestError(f"{what} has 1 to {most:,} characters. Nothing was changed.")
    return text
