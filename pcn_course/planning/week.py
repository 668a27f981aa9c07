"""The week of a network in words, and as a calendar file that Google, Outlook and Apple read.

Each entry keeps its UID (made of the workspace and the row), and its SEQUENCE rises with each file,
so a second import changes the entries of the first instead of doubling them (RFC 5545, 3.8.7.4).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from pcn_course.answers.values import (
    Row,
    Values,
    answers_in,
    clock,
    clock_in_words,
    day,
    label,
    line,
    numbered_rows,
    rows,
)
from pcn_course.course import Course

if TYPE_CHECKING:
    from icalendar import Event

DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
STEP = "managing"
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""SEQUENCE counts the seconds from here: it has to rise, and fits into 31 bits until 2094."""
MONDAY = dt.date(2026, 1, 5)
"""A day that begins a week in which fortnightly times take place."""
REMIND = dt.timedelta(minutes=-10)
RARE = ("as-needed", "not-now")
"""Rhythms without fixed times."""
UNSAID = 15
"""Minutes that a time takes in a calendar when its length was not said."""
DAY = 24 * 60
"""Minutes of a day."""


class Entry(msgspec.Struct, frozen=True):
    """One weekly time: ``day`` from 0 (Monday), ``start``, ``minutes`` and what it is for.

    ``minutes`` is 0 where the length was not said. No two entries have the same ``id``.
    """

    id: str
    day: int
    start: dt.time
    minutes: int
    purpose: str

    @property
    def when(self) -> str:
        """Day, start and length in words: "Tuesday, 7:20 am, 60 minutes"."""
        length = f", {self.minutes} minutes" if self.minutes else ""
        return f"{tuple(DAYS.values())[self.day]}, {clock_in_words(self.start)}{length}"


class Week(msgspec.Struct, frozen=True):
    """What a student set aside, and its limits.

    ``rhythm``, ``zone`` and ``again`` (what follows the review) are in the course's words, empty
    where nothing was said. ``quiet`` is from when to when, ``half_quiet`` that only one end of it
    was said, ``clashes`` are the times that lie in it. ``minutes`` is the sum of all lengths and
    ``total`` the same in a sentence, ``unsaid`` the number of times without a length.
    ``unfinished`` is how many more times have no day or no start.
    """

    rhythm: str
    times: tuple[Entry, ...]
    minutes: int
    total: str
    unsaid: int
    unfinished: int
    quiet: tuple[dt.time, dt.time] | None
    half_quiet: bool
    clashes: tuple[Entry, ...]
    zone: str
    review: dt.date | None
    again: str


def week(course: Course, values: Values) -> Week:
    """The week in the answers; an empty one where there is none."""
    answers = answers_in(values, STEP)
    times = entries(values)
    begin, end = clock(answers, "quiet-from"), clock(answers, "quiet-to")
    quiet = (begin, end) if begin is not None and end is not None else None
    filled = [
        row
        for row in rows(values, STEP, "weekly-times")
        if any(cell for key, cell in row.items() if key != "id")
    ]
    return Week(
        rhythm=label(course, STEP, "how-often-to-engage", values),
        times=times,
        minutes=sum(entry.minutes for entry in times),
        total=_total(times, line(answers, "how-often-to-engage")),
        unsaid=sum(not entry.minutes for entry in times),
        unfinished=len(filled) - len(times),
        quiet=quiet,
        half_quiet=(begin is None) != (end is None),
        clashes=tuple(entry for entry in times if quiet and _within(entry, quiet)),
        zone=label(course, STEP, "time-zone", values) if _zone(answers) else "",
        review=day(answers, "review-date"),
        again=label(course, STEP, "review-again", values),
    )


def entries(values: Values) -> tuple[Entry, ...]:
    """The weekly times that have a day and a start, in the order of the week."""
    days = list(DAYS)
    times: dict[str, Entry] = {}
    for number, row in numbered_rows(answers_in(values, STEP).get("weekly-times")):
        start, weekday = clock(row, "start"), line(row, "day")
        if start is None or weekday not in days:
            continue
        length = line(row, "minutes")
        minutes = int(length) if re.fullmatch("[0-9]{1,3}", length) else 0
        # No calendar may hold these characters.
        purpose = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", line(row, "purpose")).strip()
        key = re.sub(r"[^A-Za-z0-9_-]", "", line(row, "id"))[:40]
        if not key or key in times:
            key = f"{key}.{number}"
        times[key] = Entry(key, days.index(weekday), start, minutes, purpose)
    return tuple(sorted(times.values(), key=lambda entry: (entry.day, entry.start)))


def calendar(course: Course, values: Values, owner: str, now: dt.datetime) -> bytes:
    """The weekly times, the quiet hours and the review date as an iCalendar file (RFC 5545).

    ``owner`` is the workspace's id; ``now`` is aware. An entry begins on its first day on or after
    ``now`` in the student's zone. Without a zone the times are local ones, wherever they are read.
    A rhythm without fixed times leaves only the review date. Which week of two, or of a month, a
    time falls into does not depend on ``now``: a second file moves nothing.
    """
    from icalendar import Calendar  # it takes a while to load, and no page of a step needs it

    answers = answers_in(values, STEP)
    zone = _zone(answers)
    today = now.astimezone(zone or dt.UTC).date()
    made = Calendar()
    made.add("prodid", f"-//PCN course//{course.id}//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("x-wr-calname", course.title)
    how_often = line(answers, "how-often-to-engage")
    events = list(_review(answers))
    if how_often not in RARE:
        events += [*_weekly(values, how_often, today, zone), *_quiet(answers, today, zone)]
    for name, event in events:
        event.add("uid", f"{name}-{owner}@{course.id}.pcn-course")
        event.add("dtstamp", now.astimezone(dt.UTC))
        event.add("last-modified", now.astimezone(dt.UTC))
        event.add("sequence", max(0, int((now - EPOCH).total_seconds())))
        event.add("categories", ["Collaboration network"])
        made.add_component(event)
    if zone:
        made.add_missing_timezones()
    content: bytes = made.to_ical()
    return content


def _weekly(
    values: Values, how_often: str, today: dt.date, zone: ZoneInfo | None
) -> Iterator[tuple[str, Event]]:
    from icalendar import Alarm

    byday = [name[:2].upper() for name in DAYS]
    for entry in entries(values):
        first = today + dt.timedelta(days=(entry.day - today.weekday()) % 7)
        rule: dict[str, Any] = {"freq": "weekly", "byday": byday[entry.day]}
        if how_often == "fortnightly":
            rule["interval"] = 2
            # All times fall into the same weeks: those that are an even number of weeks from one.
            first += dt.timedelta(weeks=(first - MONDAY).days // 7 % 2)
        if how_often == "monthly":
            rule = {"freq": "monthly", "byday": f"1{rule['byday']}"}
            while first.day > 7:
                first += dt.timedelta(weeks=1)
        words = entry.purpose or "Time for my network"
        # By the wall clock, and without a zone until the end: that is how a calendar counts.
        end = _moment(first, entry.start, None) + dt.timedelta(minutes=entry.minutes or UNSAID)
        event = _event(words, _moment(first, entry.start, zone))
        event.add("dtend", end.replace(tzinfo=zone))
        event.add("rrule", rule)
        event.add("transp", "OPAQUE")
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", words)
        alarm.add("trigger", REMIND)
        event.add_component(alarm)
        yield f"time-{entry.id}", event


def _quiet(answers: Row, today: dt.date, zone: ZoneInfo | None) -> Iterator[tuple[str, Event]]:
    begin, end = clock(answers, "quiet-from"), clock(answers, "quiet-to")
    if begin is None or end is None:
        return
    event = _event("Quiet hours: not to be reached", _moment(today, begin, zone))
    # Over midnight they end on the next day; from one time to the same one is a whole day.
    last = today if end > begin else today + dt.timedelta(days=1)
    event.add("dtend", _moment(last, end, zone))
    event.add("rrule", {"freq": "daily"})
    event.add("transp", "TRANSPARENT")
    yield "quiet", event


def _review(answers: Row) -> Iterator[tuple[str, Event]]:
    date = day(answers, "review-date")
    if date is None:
        return
    event = _event("Look at my network plan again", date)
    event.add("transp", "TRANSPARENT")
    if months := {"monthly": 1, "quarterly": 3}.get(line(answers, "review-again")):
        event.add("rrule", {"freq": "monthly", "interval": months, **_late(date)})
    yield "review", event


def _late(day: dt.date) -> dict[str, Any]:
    """What a rule needs so that no month is skipped for lack of a 29th, 30th or 31st."""
    if day.day == 31:
        return {"bymonthday": -1}
    if day.day > 28:
        return {"bymonthday": list(range(28, day.day + 1)), "bysetpos": -1}
    return {}


def _event(words: str, start: dt.date) -> Event:
    from icalendar import Event

    event = Event()
    event.add("summary", words)
    event.add("dtstart", start)
    return event


def _moment(day: dt.date, time: dt.time, zone: ZoneInfo | None) -> dt.datetime:
    return dt.datetime.combine(day, time, tzinfo=zone)


def _zone(answers: Row) -> ZoneInfo | None:
    name = line(answers, "time-zone")
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _within(one: Entry, quiet: tuple[dt.time, dt.time]) -> bool:
    """Whether any minute of a time is a quiet one; both may run over midnight."""
    begin, end = (time.hour * 60 + time.minute for time in quiet)
    silent = (end - begin) % DAY or DAY
    start = one.start.hour * 60 + one.start.minute
    # Either the time begins while it is quiet, or quiet begins during the time.
    return (start - begin) % DAY < silent or (begin - start) % DAY < max(one.minutes, 1)


_EVERY = {"fortnightly": "every two weeks", "monthly": "a month"}


def _total(times: tuple[Entry, ...], how_often: str) -> str:
    """The sum of all lengths as a sentence; empty without times."""
    lengths = [one.minutes for one in times]
    if not lengths:
        return ""
    hours, rest = divmod(sum(lengths), 60)
    parts = [f"{hours} {'hour' if hours == 1 else 'hours'}"] if hours else []
    parts += [f"{rest} minutes"] if rest or not hours else []
    every = _EVERY.get(how_often, "a week")
    count = "1 time" if len(lengths) == 1 else f"{len(lengths)} times"
    return f"Together {' and '.join(parts)} {every}, in {count}."
