"""Due dates: one wording, one time zone, and where course, gradebook and students' copies differ.

A step's due date can be written in ``data/course.toml`` or set in Formgrader, and it goes out with
the released notebook. The gradebook's counts. What ``course.toml`` says reaches the gradebook when
the step is generated, and by `pcn late`, as long as nobody has set another date in Formgrader.

nbgrader's own reading of time zones is corrected here, because it has no setting for it:

- ``parse_utc`` takes ``-0500`` for seconds and an unknown abbreviation for UTC.
- Formgrader offers today's distance from UTC, also for a date on the other side of a change of
  clocks, and +0000 unless it is told a zone.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from nbgrader import utils
from nbgrader.api import MissingEntry
from nbgrader.apps import api
from sqlalchemy import select
from sqlalchemy.engine import make_url
from tornado.web import HTTPError

from pcn_course.course import Step
from pcn_course.files import write_whole
from pcn_course.grading import tables
from pcn_course.grading.lms.zones import to_utc, zone_of
from pcn_course.grading.room import Room

CARRIED = Path(".pcn") / "due.json"
"""In the course folder: by step, the date of ``course.toml`` that the gradebook was last given."""
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?")
_MISREAD = 1400
"""Largest time zone offset, ±1400, that nbgrader can have taken for seconds."""


class DueDate(msgspec.Struct, frozen=True, kw_only=True):
    """A step's due date where it is kept, in UTC; ``None`` where there is none.

    ``released`` has, by place ("release", "exchange"), what a student's copy from there says.
    """

    step: Step
    course: dt.datetime | None
    gradebook: dt.datetime | None
    released: dict[str, dt.datetime | None]

    @property
    def counts(self) -> dt.datetime | None:
        """The date that lateness is computed from."""
        return self.gradebook or self.course


def in_words(moment: dt.datetime, zone: ZoneInfo | None) -> str:
    """Return ``January 22, 2027, 11:59 PM EST``: a time in ``zone``, or in this machine's.

    Seconds appear only where there are any.
    """
    local = moment.astimezone(zone)
    seconds = f":{local:%S}" if local.second else ""
    clock = f"{local.hour % 12 or 12}:{local:%M}{seconds} {'PM' if local.hour > 11 else 'AM'}"
    name = local.tzname() or ""
    name = f"UTC{name}" if name[:1] in "+-" else name  # zones whose only name is a number
    return f"{local:%B} {local.day}, {local.year}, {clock} {name}".rstrip()


def due_dates(room: Room) -> list[DueDate]:
    """Return each step's due date, in the course's order. A missing gradebook is not created.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    in_gradebook = _in_gradebook(room)
    return [
        DueDate(
            step=step,
            course=step.due.astimezone(dt.UTC) if step.due else None,
            gradebook=in_gradebook.get(step.id),
            released=dict(_released(room, step)),
        )
        for step in room.course.steps
    ]


def report(room: Room) -> tuple[list[str], list[str]]:
    """Return a line for each due date, and a sentence for each disagreement.

    Raises:
        LmsError: ``c.Lms.timezone`` is not a time zone.
        RoomError: the gradebook can't be opened.
    """
    zone = zone_of(room.config)
    dates = due_dates(room)
    lines = [f"{one.step.id}: due {in_words(one.counts, zone)}" for one in dates if one.counts]
    return lines, [text for one in dates for text in disagreements(one, zone)]


def disagreements(due: DueDate, zone: ZoneInfo | None) -> Iterator[str]:
    """Yield a sentence for each place whose due date is not the one that counts."""
    step = due.step.id

    def words(moment: dt.datetime | None) -> str:
        return in_words(moment, zone) if moment else "no due date"

    if due.gradebook and due.course and due.gradebook != due.course:
        yield (
            f"{step}: the gradebook says {words(due.gradebook)}, and that counts. "
            f"data/course.toml says {words(due.course)}. {_misread(due)}Set the right date in "
            "Formgrader, or write it into data/course.toml, then generate and release the step."
        )
    elif due.gradebook and not due.course and due.gradebook.second not in (0, 59):
        yield (
            f"{step}: the gradebook says {words(due.gradebook)}, which nobody would choose: a time "
            "zone like -0500 was taken for seconds. Set the date again in Formgrader."
        )
    for place, shown in due.released.items():
        if due.counts and shown != due.counts:
            yield (
                f"{step}: students who have it from the {place} see {words(shown)}, but "
                f"{words(due.counts)} counts. Generate and release the step again."
            )


def carry(root: Path, gradebook: Any, step: Step) -> tuple[dt.datetime | None, str]:
    """Give the gradebook the step's date of ``course.toml``, unless another was set in Formgrader.

    Returns the date that counts, in UTC, and a sentence where the gradebook's was changed or
    differs. The step's assignment must exist. ``gradebook`` is nbgrader's, open.

    Raises:
        MissingEntry: the gradebook has no such assignment.
    """
    wanted = step.due.astimezone(dt.UTC) if step.due else None
    kept = gradebook.find_assignment(step.id).duedate
    present = kept.replace(tzinfo=dt.UTC) if kept else None
    carried = _carried(root)
    if wanted is None or wanted == present:
        text = ""
    elif present is None or carried.get(step.id) == present:
        gradebook.update_or_create_assignment(step.id, duedate=wanted.replace(tzinfo=None))
        text = f"{step.id}: the due date of data/course.toml is in the gradebook now."
        present = wanted
    else:
        text = (
            f"{step.id}: the due date of data/course.toml was not taken, because another one was "
            "set in Formgrader."
        )
    if wanted is not None and wanted == present and carried.get(step.id) != wanted:
        write_whole(root / CARRIED, _encoded({**carried, step.id: wanted}))
    return present, text


def carry_all(room: Room) -> list[str]:
    """Do the same for all steps that the gradebook has; return the sentences.

    Raises:
        RoomError: the gradebook can't be opened.
    """
    texts = []
    with room.gradebook() as gradebook:
        for step in room.course.steps:
            with contextlib.suppress(MissingEntry):
                texts.append(carry(room.root, gradebook, step)[1])
    return [text for text in texts if text]


def _carried(root: Path) -> dict[str, dt.datetime]:
    try:
        return msgspec.json.decode((root / CARRIED).read_bytes(), type=dict[str, dt.datetime])
    except (OSError, msgspec.DecodeError):
        return {}


def _encoded(carried: dict[str, dt.datetime]) -> bytes:
    return msgspec.json.encode(carried)


def _in_gradebook(room: Room) -> dict[str, dt.datetime]:
    url = make_url(room.db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return {}
    names = tables.assignment.c
    with room.engine.connect() as connection:
        rows = connection.execute(select(names.name, names.duedate)).all()
    return {row.name: row.duedate.replace(tzinfo=dt.UTC) for row in rows if row.duedate}


def _released(room: Room, step: Step) -> Iterator[tuple[str, dt.datetime | None]]:
    """Yield the places where a released notebook is, with its due date."""
    places = {"release folder": room.released}
    root = room.config.Exchange.get("root") if "Exchange" in room.config else None
    if root:
        places["exchange"] = Path(str(root)) / room.course_id / "outbound"
    for place, folder in places.items():
        try:
            content = json.loads((folder / step.id / f"{step.id}.ipynb").read_bytes())
            shown = content["metadata"].get("pcn", {}).get("due")
            yield place, dt.datetime.fromisoformat(shown).astimezone(dt.UTC) if shown else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


def _misread(due: DueDate) -> str:
    """What nbgrader did to the zone, where the two dates differ by just that."""
    if due.step.due is None or due.gradebook is None:
        return ""
    wall = due.step.due.replace(tzinfo=dt.UTC)
    apart = abs((due.gradebook - wall).total_seconds())
    if not apart:
        return "The time was taken for UTC. "
    if apart <= _MISREAD:
        return "Its time zone was taken for seconds. "
    return ""


# ---- nbgrader's reading of time zones ------------------------------------------------------------


def read_in_course_zone(config: Any) -> None:
    """Let nbgrader and Formgrader read and show due dates in the zone of ``c.Lms.timezone``.

    ``config`` is looked at when a date is read: the zone is set after this call.
    """
    from nbgrader.server_extensions.formgrader.apihandlers import AssignmentHandler

    def zone() -> ZoneInfo | None:
        return zone_of(config)

    original = vars(AssignmentHandler).get("pcn_put") or AssignmentHandler.put

    def put(self: Any, assignment_id: str) -> Any:
        """Save an assignment; the date's offset is the one that the course has on that date."""
        self.request.body = _in_utc(self.request.body, zone())
        return original(self, assignment_id)

    AssignmentHandler.pcn_put = original
    AssignmentHandler.put = put
    utils.parse_utc = _parser(zone)
    api.as_timezone = lambda moment, _name: _by_clock(moment, zone())
    api.to_numeric_tz = lambda _name: f"{dt.datetime.now(zone()).astimezone(zone()):%z}"


def _by_clock(moment: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    """Return a naive UTC time by the course's clock, with its zone."""
    return moment.replace(tzinfo=dt.UTC).astimezone(zone)


def _in_utc(body: bytes, zone: ZoneInfo | None) -> bytes:
    """Return Formgrader's message with its due date in UTC.

    The offset that the dialog offered stands for the course's zone; another one is taken as it is.

    Raises:
        HTTPError: the date or the offset can't be read (400).
    """
    try:
        message = json.loads(body)
        typed = (message.get("duedate_notimezone") or "").strip()
    except (ValueError, AttributeError):
        return body
    if not typed:
        return body
    offset = (message.get("duedate_timezone") or "").strip()
    try:
        local = dt.datetime.fromisoformat(typed).replace(tzinfo=None)
        offered = f"{dt.datetime.now(zone).astimezone(zone):%z}"
        own = not offset or offset == offered
        moment = to_utc(local, zone) if own else _with_zone(local, offset, zone)
    except ValueError as error:
        raise HTTPError(400, str(error), reason="The due date could not be read") from error
    message["duedate_notimezone"] = f"{moment:%Y-%m-%dT%H:%M:%S}"
    message["duedate_timezone"] = None  # naive is UTC to nbgrader
    return json.dumps(message).encode()


def _parser(zone: Callable[[], ZoneInfo | None]) -> Callable[[Any], Any]:
    original = getattr(utils.parse_utc, "original", utils.parse_utc)

    def parse_utc(text: Any) -> Any:
        """Return a time in naive UTC; a zone is an offset, a name, or the course's abbreviation.

        Raises:
            ValueError: the zone is none of these.
        """
        words = text.split(" ") if isinstance(text, str) else ()
        if len(words) != 3:
            return original(text)
        local = original(" ".join(words[:2]))
        return _with_zone(local, words[2], zone()).replace(tzinfo=None)

    parse_utc.original = original  # type: ignore[attr-defined]
    return parse_utc


def _with_zone(local: dt.datetime, name: str, zone: ZoneInfo | None) -> dt.datetime:
    """Return a time of the clock in the zone called ``name``, in UTC.

    Raises:
        ValueError: there is no such zone, or an abbreviation that the course's zone does not use.
    """
    if match := _OFFSET.fullmatch(name):
        offset = dt.timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
        return (local + (offset if match["sign"] == "-" else -offset)).replace(tzinfo=dt.UTC)
    if name.upper() in ("UTC", "Z", "GMT"):
        return local.replace(tzinfo=dt.UTC)
    own = local.replace(tzinfo=zone) if zone else local.astimezone()
    if name == own.tzname():
        return own.astimezone(dt.UTC)
    if "/" in name:
        try:
            return to_utc(local, ZoneInfo(name))
        except (LookupError, ValueError, OSError):
            pass
    raise ValueError(
        f"“{name}” is not a time zone that can be read here. Write the offset from UTC, as in "
        "-0500, or a name, as in America/New_York."
    )
