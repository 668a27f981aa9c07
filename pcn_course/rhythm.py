"""The week of a network in words, and as a calendar file that Google, Outlook and Apple read.

Each entry keeps its UID (made of the workspace and the row), and its SEQUENCE rises with each file,
so a second import changes the entries of the first instead of doubling them (RFC 5545, 3.8.7.4).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from icalendar import Alarm, Calendar, Event

from pcn_course.course import Course

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
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

Values = Mapping[str, Mapping[str, Any]]


class Entry(msgspec.Struct, frozen=True):
    """One weekly time: ``day`` from 0 (Monday), ``start``, ``minutes`` and what it is for.

    ``minutes`` is 0 where the length was not said. No two entries have the same ``id``.
    """

    id: str
    day: int
    start: dt.time
    minutes: int
    purpose: str


class Week(msgspec.Struct, frozen=True):
    """What a student set aside, and its limits.

    ``rhythm``, ``zone`` and ``again`` (what follows the review) are in the course's words, empty
    where nothing was said. ``quiet`` is from when to when, ``clashes`` are the times that lie in
    it, ``minutes`` the sum of all lengths and ``total`` the same in a sentence. ``notes`` say in
    sentences what could not be read or is not complete.
    """

    rhythm: str
    times: tuple[Entry, ...]
    minutes: int
    total: str
    quiet: tuple[dt.time, dt.time] | None
    clashes: tuple[Entry, ...]
    zone: str
    review: dt.date | None
    again: str
    notes: tuple[str, ...]


def week(course: Course, values: Values) -> Week:
    """The week in the answers; an empty one where there is none."""
    said = _said(values)
    times = entries(values)
    begin, end = _time(said.get("quiet-from")), _time(said.get("quiet-to"))
    quiet = (begin, end) if begin is not None and end is not None else None
    return Week(
        rhythm=_label(course, "how-often-to-engage", said),
        times=times,
        minutes=sum(one.minutes for one in times),
        total=_total(times, said.get("how-often-to-engage")),
        quiet=quiet,
        clashes=tuple(one for one in times if quiet and _within(one, quiet)),
        zone=_label(course, "time-zone", said) if _zone(said.get("time-zone")) else "",
        review=_day(said.get("review-date")),
        again=_label(course, "review-again", said),
        notes=tuple(_notes(said, times)),
    )


def entries(values: Values) -> tuple[Entry, ...]:
    """The weekly times that have a day and a start, in the order of the week."""
    found: dict[str, Entry] = {}
    rows = _said(values).get("weekly-times")
    for number, row in enumerate(rows if isinstance(rows, list) else [], start=1):
        if not isinstance(row, dict):
            continue
        start, day = _time(row.get("start")), row.get("day")
        if start is None or day not in DAYS:
            continue
        length, purpose = row.get("minutes"), row.get("purpose")
        said = re.fullmatch("[0-9]{1,3}", length) if isinstance(length, str) else None
        minutes = int(said[0]) if said else 0
        words = _plain_text(purpose) if isinstance(purpose, str) else ""
        key = _plain(row.get("id"))
        if not key or key in found:
            key = f"{key}.{number}"
        found[key] = Entry(key, DAYS.index(day), start, minutes, words)
    return tuple(sorted(found.values(), key=lambda one: (one.day, one.start)))


def calendar(course: Course, values: Values, owner: str, now: dt.datetime) -> bytes:
    """The weekly times, the quiet hours and the review date as an iCalendar file (RFC 5545).

    ``owner`` is the workspace's id; ``now`` is aware. An entry begins on its first day on or after
    ``now`` in the student's zone. Without a zone the times are local ones, wherever they are read.
    A rhythm without fixed times leaves only the review date. Which week of two, or of a month, a
    time falls into does not depend on ``now``: a second file moves nothing.
    """
    said = _said(values)
    zone = _zone(said.get("time-zone"))
    today = now.astimezone(zone or dt.UTC).date()
    made = Calendar()
    made.add("prodid", f"-//PCN course//{course.id}//EN")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("x-wr-calname", course.title)
    how_often = said.get("how-often-to-engage")
    events = list(_review(said))
    if how_often not in RARE:
        events += [*_weekly(values, how_often, today, zone), *_quiet(said, today, zone)]
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
    values: Values, how_often: Any, today: dt.date, zone: ZoneInfo | None
) -> Iterator[tuple[str, Event]]:
    for entry in entries(values):
        first = today + dt.timedelta(days=(entry.day - today.weekday()) % 7)
        rule: dict[str, Any] = {"freq": "weekly", "byday": DAYS[entry.day][:2].upper()}
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
        event = _event(words, first, entry.start, zone)
        event.add("dtend", end.replace(tzinfo=zone))
        event.add("rrule", rule)
        event.add("transp", "OPAQUE")
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", words)
        alarm.add("trigger", REMIND)
        event.add_component(alarm)
        yield f"time-{entry.id}", event


def _quiet(
    said: Mapping[str, Any], today: dt.date, zone: ZoneInfo | None
) -> Iterator[tuple[str, Event]]:
    begin, end = _time(said.get("quiet-from")), _time(said.get("quiet-to"))
    if begin is None or end is None:
        return
    event = _event("Quiet hours: not to be reached", today, begin, zone)
    # Over midnight they end on the next day; from one time to the same one is a whole day.
    last = today if end > begin else today + dt.timedelta(days=1)
    event.add("dtend", _moment(last, end, zone))
    event.add("rrule", {"freq": "daily"})
    event.add("transp", "TRANSPARENT")
    yield "quiet", event


def _review(said: Mapping[str, Any]) -> Iterator[tuple[str, Event]]:
    day = _day(said.get("review-date"))
    if day is None:
        return
    event = Event()
    event.add("summary", "Look at my network plan again")
    event.add("dtstart", day)
    event.add("transp", "TRANSPARENT")
    if (months := {"monthly": 1, "quarterly": 3}.get(str(said.get("review-again")))) is not None:
        event.add("rrule", {"freq": "monthly", "interval": months, **_late(day)})
    yield "review", event


def _late(day: dt.date) -> dict[str, Any]:
    """What a rule needs so that no month is skipped for lack of a 29th, 30th or 31st."""
    if day.day == 31:
        return {"bymonthday": -1}
    if day.day > 28:
        return {"bymonthday": list(range(28, day.day + 1)), "bysetpos": -1}
    return {}


def _event(words: str, day: dt.date, start: dt.time, zone: ZoneInfo | None) -> Event:
    event = Event()
    event.add("summary", words)
    event.add("dtstart", _moment(day, start, zone))
    return event


def _moment(day: dt.date, time: dt.time, zone: ZoneInfo | None) -> dt.datetime:
    return dt.datetime.combine(day, time, tzinfo=zone)


def _time(value: Any) -> dt.time | None:
    if isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        return dt.time.fromisoformat(value)
    return None


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _zone(value: Any) -> ZoneInfo | None:
    try:
        return ZoneInfo(value) if isinstance(value, str) and value else None
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


def _total(times: Iterable[Entry], how_often: Any) -> str:
    """The sum of all lengths as a sentence; empty without times."""
    lengths = [one.minutes for one in times]
    if not lengths:
        return ""
    hours, rest = divmod(sum(lengths), 60)
    parts = [f"{hours} {'hour' if hours == 1 else 'hours'}"] if hours else []
    parts += [f"{rest} minutes"] if rest or not hours else []
    every = _EVERY.get(how_often, "a week") if isinstance(how_often, str) else "a week"
    count = "1 time" if len(lengths) == 1 else f"{len(lengths)} times"
    return f"Together {' and '.join(parts)} {every}, in {count}."


def _notes(said: Mapping[str, Any], times: tuple[Entry, ...]) -> Iterator[str]:
    rows = said.get("weekly-times")
    filled = [
        row
        for row in (rows if isinstance(rows, list) else [])
        if not isinstance(row, dict) or any(row[key] for key in row if key != "id")
    ]
    if lacking := len(filled) - len(times):
        which = "One time lacks" if lacking == 1 else f"{lacking} times lack"
        yield f"{which} a day or a start, and cannot be placed in the week yet."
    if unsaid := sum(not one.minutes for one in times):
        which = "For one time" if unsaid == 1 else f"For {unsaid} times"
        yield f"{which} you have not said how long; a calendar shows {UNSAID} minutes."
    if (_time(said.get("quiet-from")) is None) != (_time(said.get("quiet-to")) is None):
        yield "Your quiet hours lack a beginning or an end, so they are left out."
    if said.get("time-zone") and _zone(said.get("time-zone")) is None:
        yield "Your time zone is not known here, so times are local ones."
    if said.get("review-date") and _day(said.get("review-date")) is None:
        yield "The day on which you look again is no date, so it is left out."


def _label(course: Course, key: str, said: Mapping[str, Any]) -> str:
    """A choice in the words of the course; empty where there is none."""
    prompt = next((one.prompt(key) for one in course.steps if one.name == STEP), None)
    value = said.get(key)
    offered = {option.value: option.label for option in prompt.options} if prompt else {}
    return offered.get(value, "") if isinstance(value, str) else ""


def _said(values: Any) -> Mapping[str, Any]:
    """The step's answers, or none if they are not what they should be."""
    step = values.get(STEP) if isinstance(values, Mapping) else None
    return step if isinstance(step, Mapping) else {}


def _plain(name: Any) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "", name)[:40] if isinstance(name, str) else ""


def _plain_text(words: str) -> str:
    """``words`` in one line, without characters that no calendar may hold."""
    return re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]+", " ", words).strip()
