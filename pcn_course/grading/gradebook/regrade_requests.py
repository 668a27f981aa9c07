"""Requests for regrading: what a student asks to be looked at again, and what was answered.

They stand in the gradebook's database, beside the marks: a request is answered once, on record,
with the points before and after. A mark that changes by it is an ordinary mark.
"""

from __future__ import annotations

import datetime as dt
import glob
from collections import defaultdict
from pathlib import Path

import msgspec
from nbgrader.exchange.default import Exchange
from sqlalchemy import Engine, insert, select, update

from pcn_course import system
from pcn_course.exchange import LONGEST_REQUEST, MOST_REQUESTS, REQUEST, REQUEST_ENDING
from pcn_course.files import UserError
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.schema import log_event, make_tables, now, requests
from pcn_course.grading.gradebook.scores import MAX_COMMENT, MarkError
from pcn_course.grading.nbgrader.submitted import read_plainly

MOST_BYTES = 64_000
"""Bytes of a request's file that are read."""
MOST_READ = 50
"""Requests of one student about one step that are looked into, the newest."""


class RequestError(UserError):
    """A request can't be kept or answered. ``plain`` says why and what to do."""


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


def ask(
    marking: Marking,
    student: str,
    step: str,
    criterion: str | None,
    text: str,
    when: dt.datetime | None = None,
) -> Request:
    """Keep a request, made now or at ``when``; the same words on the same thing are kept once.

    Raises:
        RequestError: there are no words, too many, or the rubric has no such criterion.
        MarkError: the student has no submission of this step in the gradebook.
    """
    text = _words(text, LONGEST_REQUEST, "A request")
    if criterion is not None and criterion not in marking.criteria:
        raise RequestError(f"The rubric has no criterion {criterion!r}.")
    marking.submission(student, step)
    engine = marking.room.engine
    for one in requests_of(engine, step=step, student=student):
        if (one.criterion, one.text) == (criterion, text):
            return one
    with engine.begin() as connection:
        at = log_event(
            connection, by=marking.marker, student=student, step=step, what="request",
            criterion=criterion,
        )  # fmt: skip
        row = {"student": student, "step": step, "criterion": criterion, "text": text}
        connection.execute(insert(requests).values(**row, at=when or at))
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


class _Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a student's page sends it."""

    course: str
    step: str
    criterion: str | None
    text: str


def take_in(marking: Marking, step: str) -> tuple[list[Request], list[str]]:
    """Take in the requests that students sent by the exchange: the new ones, and what is odd.

    They lie where submissions do, in ``inbound`` or in a student's own folder there, and stay.
    Taking in again takes nothing twice.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    room = marking.room
    root = room.config.Exchange.get("root") or Exchange.class_traits()["root"].default()
    inbound = Path(str(root)) / room.course_id / "inbound"
    known = {one.id for one in requests_of(room.engine, step=step)}
    odd = []
    theirs = defaultdict(list)
    for folder in _sent(inbound, step):
        student = folder.name.partition("+")[0]
        try:
            _see_whose(marking, folder, inbound, student)
        except RequestError as error:
            odd.append(f"{folder.name}: {error.plain}")
        else:
            theirs[student].append(folder)
    for student, folders in theirs.items():
        if len(folders) > MOST_READ:
            odd.append(
                f"{student}: There are {len(folders)} requests; the newest {MOST_READ} were read."
            )
        for folder in folders[-MOST_READ:]:
            try:
                _take(marking, folder, student, step)
            except (RequestError, MarkError) as error:
                odd.append(f"{folder.name}: {error.plain}")
    return [one for one in requests_of(room.engine, step=step) if one.id not in known], odd


def _sent(inbound: Path, step: str) -> list[Path]:
    """The folders of requests about a step, each student's by their times."""
    name = f"*+{glob.escape(step + REQUEST_ENDING)}+*"
    # Path.glob would end at the first thing in there that can't be looked at.
    below = glob.escape(str(inbound))
    found = [
        Path(path)
        for pattern in (f"{below}/{name}", f"{below}/*/{name}")
        for path in glob.glob(pattern)  # noqa: PTH207
    ]
    about = step + REQUEST_ENDING
    return sorted(
        (one for one in found if one.name.split("+")[1] == about), key=lambda one: (one.name, one)
    )


def _see_whose(marking: Marking, folder: Path, inbound: Path, student: str) -> None:
    """See that a request of the exchange is from whom it says.

    Where everybody may make folders in ``inbound``, a student's own says nothing.
    """
    personal = folder.parent != inbound
    if personal and (folder.parent.name != student or folder.parent.is_symlink()):
        raise RequestError(f"It lies in the folder of {folder.parent.name}. Left out.")
    checked = marking.room.config.ExchangeCollect.get("check_owner", True)
    if checked and _owner(folder) != student:
        raise RequestError(
            f"It says that {student} sent it, and belongs to {_owner(folder)}. Left out. Where "
            "users have other names than students, set c.ExchangeCollect.check_owner = False."
        )


def _take(marking: Marking, folder: Path, student: str, step: str) -> None:
    """Keep one request of the exchange, if there is one in it."""
    when = folder.name.split("+")[2]
    content = read_plainly(folder, REQUEST, MOST_BYTES)
    try:
        sent = msgspec.json.decode(content or b"", type=_Sent)
    except (msgspec.MsgspecError, RecursionError, MemoryError, ValueError) as error:
        raise RequestError("There is no request that can be read. Left out.") from error
    if (sent.course, sent.step) != (marking.room.course.id, step):
        raise RequestError("It is about another course or step. Left out.")
    mine = requests_of(marking.room.engine, step=step, student=student)
    same = any((one.criterion, one.text) == (sent.criterion, sent.text.strip()) for one in mine)
    if not same and len(mine) >= MOST_REQUESTS:
        raise RequestError(f"{student} has asked {MOST_REQUESTS} times about this step. Left out.")
    try:
        at = dt.datetime.fromisoformat(when.removesuffix(" UTC")).replace(tzinfo=dt.UTC)
    except ValueError:
        at = None
    ask(marking, student, step, sent.criterion, sent.text, at)


def _owner(folder: Path) -> str:
    try:
        return system.user_name(folder.lstat().st_uid) or "somebody unknown"
    except OSError:
        return "somebody unknown"


def _words(text: str, most: int, what: str) -> str:
    text = text.replace("\0", "").strip()
    if not text or len(text) > most:
        raise RequestError(f"{what} has 1 to {most:,} characters. Nothing was changed.")
    return text
