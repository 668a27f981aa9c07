"""Times as an LMS writes them: by the clock on the wall, without saying where the wall is."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil import parser

from pcn_course.grading.lms import LmsError


class ZoneError(LmsError, ValueError):
    """A time, or its zone, that can't be read with certainty."""


def zone_of(config: Any) -> ZoneInfo | None:
    """The course's zone: ``c.Lms.timezone``, or ``c.NbGraderAPI.timezone``, in the configuration.

    ``None`` is this machine's own. ``config`` is traitlets' ``Config``.

    Raises:
        LmsError: there is no such zone, or the two differ.
    """
    named = {
        f"c.{section}.timezone": str(config[section]["timezone"])
        for section in ("Lms", "NbGraderAPI")
        if section in config and config[section].get("timezone")
    }
    if len(set(named.values())) > 1:
        lines = " and ".join(f"{line} is “{zone}”" for line, zone in named.items())
        raise LmsError(f"{lines}. The course has one time zone: delete c.NbGraderAPI.timezone.")
    for line, name in named.items():
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise LmsError(
                f"{line} is “{name}”, and there is no such time zone. Write it as in "
                "“America/New_York” or “Europe/Berlin”."
            ) from error
    return None


def in_words(moment: dt.datetime, zone: ZoneInfo | None) -> str:
    """A time in the zone's words: “January 22, 2027, 11:59 PM EST”."""
    local = moment.astimezone(zone)
    name = local.strftime("%Z")
    if not name or name[0] in "+-":  # a zone without a name of its own
        name = f"UTC{local.strftime('%z')[:3]}:{local.strftime('%z')[3:5]}"
    clock = local.strftime("%I:%M %p").lstrip("0")
    return f"{local:%B} {local.day}, {local.year}, {clock} {name}"


def read_moment(text: str, zone: ZoneInfo | None) -> dt.datetime:
    """Read a time that a person typed, as UTC: ``2027-01-22 23:59``, with or without a zone.

    Without one it is the course's, with the offset of that date. A zone may be an offset
    (``-0500``, ``-05:00``), a name (``America/New_York``), or a short name that the course's zone
    has on that date (``EST``).

    Raises:
        ZoneError: it isn't a time, or the zone isn't known here.
    """
    before, _, last = text.strip().rpartition(" ")
    if "/" in last and before and not last[0].isdigit():
        try:
            zone = ZoneInfo(last)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ZoneError(f"“{text}”: there is no time zone “{last}”.") from error
        return read_moment(before, zone)
    names: list[str] = []

    def offset_of(name: str | None, seconds: int | None) -> dt.tzinfo | None:
        if name is None and seconds is None:
            return None
        if name and name.upper() not in ("UTC", "GMT", "Z"):
            names.append(name)
        return dt.timezone(dt.timedelta(seconds=seconds or 0))

    try:
        moment: dt.datetime = parser.parse(text, tzinfos=offset_of)
    except (ValueError, OverflowError) as error:
        raise ZoneError(f"“{text}” is not a time. Write it as in 2027-01-22 23:59.") from error
    if moment.tzinfo is None:
        return to_utc(moment, zone)
    if not names:
        return moment.astimezone(dt.UTC)
    local = moment.replace(tzinfo=None)
    for fold in (0, 1):
        here = local.replace(tzinfo=zone, fold=fold) if zone else local.replace(fold=fold)
        if here.astimezone(zone).strftime("%Z") == names[0]:
            return here.astimezone(dt.UTC)
    where = zone.key if zone else "this machine's time zone"
    raise ZoneError(
        f"“{text}”: “{names[0]}” isn't the time in {where} on that date. "
        "Write the time alone, the offset as in -0500, or the zone as in America/New_York. "
        "The course's zone is c.Lms.timezone in nbgrader_config.py."
    )


def to_utc(local: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    """A time of the clock on the wall, in UTC, daylight saving counted.

    In the hour that comes twice in autumn the first one is taken: the earlier time, which is the
    one in the student's favour.
    """
    aware = local.replace(tzinfo=zone, fold=0) if zone else local.replace(fold=0).astimezone()
    return aware.astimezone(dt.UTC)
