"""Times as an LMS writes them: by the clock on the wall, without saying where the wall is."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pcn_course.grading.lms.sheets import LmsError


def zone_of(config: Any) -> ZoneInfo | None:
    """The zone in which the LMS tells the time: ``c.Lms.timezone`` in ``nbgrader_config.py``.

    ``None`` is this machine's own. ``config`` is traitlets' ``Config``.

    Raises:
        LmsError: there is no such zone.
    """
    name = config.Lms.get("timezone") if "Lms" in config else None
    if not name:
        return None
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise LmsError(
            f"c.Lms.timezone is “{name}”, and there is no such time zone. Write it as in "
            "“America/New_York” or “Europe/Berlin”."
        ) from error


def to_utc(local: dt.datetime, zone: ZoneInfo | None) -> dt.datetime:
    """A time of the clock on the wall, in UTC, daylight saving counted.

    In the hour that comes twice in autumn the first one is taken: the earlier time, which is the
    one in the student's favour.
    """
    aware = local.replace(tzinfo=zone, fold=0) if zone else local.replace(fold=0).astimezone()
    return aware.astimezone(dt.UTC)
