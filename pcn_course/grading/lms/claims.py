"""Which hand-ins count: of each student the newest, where it is sure enough that it is theirs.

Where an LMS hides who uploaded a file, or the roster doesn't know them, only the file itself says
whose it is and when it was made, and anybody can write anything there. So one student's work under
another's name is not told from the other's own, and neither is taken: somebody has to look.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable

from pcn_course.grading.lms.unpacking import HandIn

AHEAD = dt.timedelta(days=1)
"""How far a clock may be ahead of this machine's. A later time would win over all that follow."""
EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def choose(
    found: Iterable[HandIn], now: dt.datetime
) -> tuple[list[HandIn], list[tuple[HandIn, str]]]:
    """What counts, one for each student; and what is left out although it is somebody's, and why.

    Older ones of the same student are passed over without a word.
    """
    newest: dict[str, dict[str, HandIn]] = defaultdict(dict)
    left_out = []
    for one in found:
        if not EARLIEST <= one.when <= now + AHEAD:
            left_out.append((one, _no_time(one)))
            continue
        other = newest[one.student].get(one.claimed_by)
        if not other or _is_newer(one, other):
            newest[one.student][one.claimed_by] = one
    chosen = []
    for several in newest.values():
        own = several.pop("", None)
        if own:
            chosen.append(own)
            left_out.extend((one, _another(one)) for one in several.values() if not _same(one, own))
        elif len(several) == 1:
            chosen.extend(several.values())
        else:
            left_out.extend((one, _several(one, sorted(several))) for one in several.values())
    return chosen, left_out


def _is_newer(one: HandIn, other: HandIn) -> bool:
    """Whether one came after the other; the LMS's own count says it better than a file's time."""
    if one.order and other.order and not one.claimed_by:
        return (one.order, one.when) >= (other.order, other.when)
    return (one.when, one.order) >= (other.when, other.order)


def _same(one: HandIn, other: HandIn) -> bool:
    return (one.when, one.answers) == (other.when, other.answers)


def _no_time(one: HandIn) -> str:
    return (
        f"it says that it was made at {one.when:%Y-%m-%d %H:%M} UTC, when nobody can have made it; "
        f"ask {one.student} to see to the clock and hand in again"
    )


def _another(one: HandIn) -> str:
    return (
        f"only the file itself says that it is {one.student}'s, whose own hand-in is here besides; "
        f"{one.claimed_by} uploaded it; if that is {one.student}, lay this file by itself into the "
        "archive folder and collect again"
    )


def _several(one: HandIn, uploaders: list[str]) -> str:
    student = one.student
    return (
        f"{len(uploaders)} uploaders say that they are {student} ({', '.join(uploaders)}), and "
        f"none was taken; find {student}'s own in the LMS, lay that file by itself into the "
        "archive folder under the name that it has, and collect again"
    )
