"""Dates and times as an LMS writes them into the names of files, where no colon can be."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from zoneinfo import ZoneInfo

from pcn_course.grading.late.time_zone import to_utc

# The beginnings of the months' names in some 15 languages; of several that fit, the longest counts.
_MONTHS = (
    "jan ene gen tammi sty oca янв", "feb fev helmi lut sub фев",
    "mar maa mrt maalis мар", "apr avr abr huhti kwi nis апр",
    "may mai mei maj mag touko май мая", "jun juin giu kesa cze haz июн",
    "jul juil lug heina lip tem июл", "aug aou ago elo sie agu ag авг",
    "sep set syys wrz eyl сен", "oct okt out ott loka paz eki окт",
    "nov marras lis kas ноя", "dec dez dic des joulu gru ara дек",
)  # fmt: skip
_STARTS = {start: at for at, line in enumerate(_MONTHS, 1) for start in line.split()}
_WORD = r"(?P<month>[^\W\d_]{2,})\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|er|º)?"
_YEAR = r"(?P<year>\d{4})"
_DATES = (
    rf"{_WORD}[ -]{_DAY},?[ -]{_YEAR}",
    rf"{_DAY}\.?[ -](?:de |d['’])?{_WORD},?[ -](?:del? )?{_YEAR}",
    rf"{_YEAR}\.?[ -]{_WORD}[ -]{_DAY}\.?",
    rf"{_YEAR}[-./_ ](?P<number>\d{{1,2}})[-./_ ]{_DAY}",
    rf"{_YEAR}(?P<number>\d\d)(?P<day>\d\d)",
    rf"{_YEAR}[年년]\s?(?P<number>\d{{1,2}})[月월]\s?{_DAY}[日일]",
    rf"(?P<day>\d{{1,2}})\.\s?(?P<number>\d{{1,2}})\.\s?{_YEAR}",
    rf"(?P<first>\d{{1,2}})[-/_ ](?P<second>\d{{1,2}})[-/_ ]{_YEAR}",
)
_BETWEEN = r"[\s,_T-]+(?:(?:at|um|om|kl\.?|alle|a las|à|às) )?"
_TIME = (
    r"(?P<hour>\d{1,2}?)[\s:.hH_-]?(?P<minute>\d{2})(?:[\s:._m-]?(?P<seconds>\d{2}))?"
    r"(?:\s?(?:uhr|h|s))?(?:\s*(?P<half>[ap])\.?\s?m\.?)?(?:\s?(?P<utc>utc|gmt|z))?"
)
_WEEKDAY = r"(?:[^\W\d_]+\.?,? )?"
_FORMS = tuple(
    re.compile(f"{_WEEKDAY}{date}{_BETWEEN}{_TIME}", re.IGNORECASE) for date in _DATES
)  # fmt: skip


def read_moment(text: str, zone: ZoneInfo | None) -> dt.datetime | None:
    """Return a time such as ``Nov 20, 2026 1042 AM`` or ``2026-11-20 1042``, in UTC.

    None if it is none, or could be two: nobody knows whether ``05-03-2026`` is in March or May.
    """
    text = unicodedata.normalize("NFKC", " ".join(text.split()))
    for form in _FORMS:
        if (match := form.fullmatch(text)) and (moment := _moment(match.groupdict(), zone)):
            return moment
    return None


def local_moment(numbers: tuple[int, ...], zone: ZoneInfo | None) -> dt.datetime | None:
    """Return year, month, day, hour … of the clock on the wall in UTC; None if there is no such."""
    try:
        return to_utc(dt.datetime(*numbers), zone)  # type: ignore[arg-type]  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None


def _moment(part: dict[str, str | None], zone: ZoneInfo | None) -> dt.datetime | None:
    day, month = _day_and_month(part)
    hour, half = int(part["hour"] or 0), (part["half"] or "").lower()
    if month is None or (half and not 1 <= hour <= 12):
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    minute, second = int(part["minute"] or 0), int(part["seconds"] or 0)
    where = ZoneInfo("UTC") if part["utc"] else zone
    return local_moment((int(part["year"] or 0), month, day, hour, minute, second), where)


def _day_and_month(part: dict[str, str | None]) -> tuple[int, int | None]:
    if part.get("first"):
        first, second = int(part["first"] or 0), int(part["second"] or 0)
        if first == second or first > 12:
            return first, second
        return (second, first) if second > 12 else (0, None)
    if part.get("number"):
        return int(part["day"] or 0), int(part["number"] or 0)
    return int(part["day"] or 0), _month(part.get("month") or "")


def _month(word: str) -> int | None:
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    # й is a letter of its own, which decomposing parts.
    plain = "".join(one for one in decomposed if not unicodedata.combining(one))
    starts = [start for start in _STARTS if plain.startswith(start.replace("й", "и"))]
    return _STARTS[max(starts, key=len)] if starts else None
