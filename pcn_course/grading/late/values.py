"""Lengths of time, amounts and dates, as people write them into a spreadsheet."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import msgspec

from pcn_course.grading.late.time_zone import to_utc

MOST_DAYS = 366
"""The longest time; more is taken for a slip."""


class ValueFault(ValueError):  # noqa: N818 (as all faults of files are called)
    """A value can't be read; the message says what to write."""


class Amount(msgspec.Struct, frozen=True):
    """So many points, or so many percent of the points that a step can give."""

    number: float
    percent: bool = False

    def points(self, out_of: float) -> float:
        """Return the amount in points, of ``out_of`` where it is a percentage."""
        return self.number * out_of / 100 if self.percent else self.number


class Length(msgspec.Struct, frozen=True):
    """A length of time: days of the calendar, and seconds beside them."""

    days: int = 0
    seconds: float = 0.0

    def after(self, moment: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
        """So long after a moment in UTC, in UTC; days are days of the clock on the wall."""
        if self.days:
            there = moment.astimezone(zone).replace(tzinfo=None)
            moment = to_utc(there + dt.timedelta(days=self.days), zone)
        return moment + dt.timedelta(seconds=self.seconds)

    @property
    def time(self) -> dt.timedelta:
        """With days of 24 hours."""
        return dt.timedelta(days=self.days, seconds=self.seconds)


_NUMBER = r"(?P<number>\d+(?:[.,]\d+)?)"
LENGTH = re.compile(rf"{_NUMBER} ?(?P<unit>[a-z]+)\.?", re.IGNORECASE)
_AMOUNT = re.compile(
    rf"{_NUMBER} ?(?P<unit>%|percent|points?|pts?\.?)(?: ?(?:per|a|/) ?day)?", re.IGNORECASE
)
_SECONDS = {"m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600, "hour": 3600}
_DAYS = {"d": 1, "day": 1, "w": 7, "week": 7}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATES = (
    r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
    r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})",
    r"(?P<d>\d{1,2})[- ](?P<month>[a-z]{3,9})\.?,?[- ](?P<y>\d{4}|\d{2})",
    r"(?P<month>[a-z]{3,9})\.? (?P<d>\d{1,2}),? (?P<y>\d{4})",
    r"(?P<a>\d{1,2})[/-](?P<b>\d{1,2})[/-](?P<y>\d{4}|\d{2})",
)
_TIME = (
    r"(?:(?:,? |T)(?P<hour>\d{1,2})(?::(?P<minute>\d\d)(?::(?P<second>\d\d))?)?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?)?(?: ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d))?"
)


def read_length(text: str) -> Length:
    """``2 hours`` or ``3 days``.

    Raises:
        ValueFault: it is none; the message says what to write.
    """
    if text == "0":
        return Length()
    found = LENGTH.fullmatch(text)
    unit = found["unit"].lower() if found else ""
    unit = unit if unit in _SECONDS or unit in _DAYS else unit.removesuffix("s")
    if found is None or (unit not in _SECONDS and unit not in _DAYS):
        raise ValueFault(f"“{text}” is no length of time. Write it as in “2 hours” or “3 days”.")
    number = float(found["number"].replace(",", "."))
    if unit in _SECONDS:
        length = Length(0, number * _SECONDS[unit])
    else:
        days = number * _DAYS[unit]
        length = Length(int(days)) if days == int(days) else Length(0, days * 86_400)
    if length.time > dt.timedelta(days=MOST_DAYS):
        raise ValueFault(f"“{text}” is more than a year. Write a shorter time.")
    return length


def read_amount(text: str) -> Amount:
    """``10%`` or ``2 points``; ``per day`` may follow.

    Raises:
        ValueFault: it is neither; the message says what to write.
    """
    if text == "0":
        return Amount(0)
    found = _AMOUNT.fullmatch(text)
    if found is None:
        plain = re.fullmatch(r"\d+(?:[.,]\d+)?", text)
        raise ValueFault(
            f"“{text}” has no unit. Write “{text} points” or “{text}%”."
            if plain
            else f"“{text}” is neither points nor percent. Write it as in “2 points” or “10%”."
        )
    percent = found["unit"].lower() in ("%", "percent")
    return Amount(float(found["number"].replace(",", ".")), percent=percent)


def read_due(text: str, zone: ZoneInfo | None) -> dt.datetime:
    """A new due date in UTC: ISO, or as spreadsheets write it.

    Raises:
        ValueFault: it is none, or could be two; the message says what to write.
    """
    how = "Write it as in “2027-02-01”, “1 Feb 2027 18:00” or “3 days”."
    for form in _DATES:
        if found := re.fullmatch(form + _TIME, text, re.IGNORECASE):
            break
    else:
        raise ValueFault(f"“{text}” is no date and no length of time. {how}")
    part = found.groupdict()
    try:
        day = _day(text, part)
        if part["hour"] is None:
            local = dt.datetime.combine(day, dt.time(23, 59, 59))
        else:
            local = dt.datetime.combine(day, _clock(part))
        if part["zone"] is None:
            return to_utc(local, zone)
        offset = "+00:00" if part["zone"].upper() in ("Z", "UTC") else part["zone"]
        return dt.datetime.fromisoformat(f"{local.isoformat()}{offset}").astimezone(dt.UTC)
    except ValueFault:
        raise
    except (ValueError, OverflowError) as error:
        raise ValueFault(f"There is no “{text}” in the calendar. {how}") from error


def _day(text: str, part: dict[str, str | None]) -> dt.date:
    year = int(part["y"] or 0)
    year += 2000 if year < 100 else 0
    if "a" in part:
        first, second = int(part["a"] or 0), int(part["b"] or 0)
        if first != second and first <= 12 and second <= 12:
            raise ValueFault(
                f"“{text}” could be {first} {_MONTHS[second - 1].title()} or {second} "
                f"{_MONTHS[first - 1].title()}. Write the month as a word, as in "
                f"“{first} {_MONTHS[second - 1].title()} {year}”, or so many days."
            )
        return dt.date(year, *((second, first) if first > 12 else (first, second)))
    if "month" in part:
        word = (part["month"] or "").lower()
        if not _MONTH.fullmatch(word):
            raise ValueError(word)
        return dt.date(year, _MONTHS.index(word[:3]) + 1, int(part["d"] or 0))
    return dt.date(year, int(part["m"] or 0), int(part["d"] or 0))


_MONTH = re.compile(
    "jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?"
    "|nov(ember)?|dec(ember)?"
)


def _clock(part: dict[str, str | None]) -> dt.time:
    hour, half = int(part["hour"] or 0), (part["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half == "p" else 0)
    elif part["minute"] is None:
        raise ValueError(hour)
    return dt.time(hour, int(part["minute"] or 0), int(part["second"] or 0))
