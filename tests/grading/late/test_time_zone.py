"""Times as people type them, and as we write them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from traitlets.config import Config

from pcn_course.grading.late.time_zone import ZoneError, in_words, read_moment, zone_of
from pcn_course.grading.lms import LmsError

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2027-01-22T23:59:00", "2027-01-23 04:59"),  # without a zone it is the course's
        ("2027-07-22 23:59", "2027-07-23 03:59"),  # and has the offset of that date
        ("2027-01-22 23:59 -0500", "2027-01-23 04:59"),
        ("2027-01-22T23:59 -05:00", "2027-01-23 04:59"),
        ("2027-01-22 23:59:00-0500", "2027-01-23 04:59"),
        ("2027-01-22 23:59 +0100", "2027-01-22 22:59"),
        ("2027-01-22 23:59 EST", "2027-01-23 04:59"),
        ("2027-07-22 23:59 EDT", "2027-07-23 03:59"),
        ("2027-01-22 23:59:00 UTC", "2027-01-22 23:59"),
        ("2027-01-22T23:59:00Z", "2027-01-22 23:59"),
        ("2027-01-22T23:59 America/New_York", "2027-01-23 04:59"),
        ("2027-07-22T23:59:00 Europe/Berlin", "2027-07-22 21:59"),
        ("2027-11-07 01:30", "2027-11-07 05:30"),  # the first of the hour that comes twice
    ],
)
def test_a_time_that_was_typed(typed: str, utc: str) -> None:
    assert f"{read_moment(typed, NEW_YORK):%Y-%m-%d %H:%M}" == utc


@pytest.mark.parametrize(
    ("typed", "zone", "says"),
    [
        ("2027-01-22 23:59 EDT", NEW_YORK, "“EDT” isn't the time in America/New_York"),
        ("2027-07-22 23:59 EDT", ZoneInfo("UTC"), "“EDT” isn't the time in UTC"),
        ("2027-01-22 23:59 Mars/Olympus", NEW_YORK, "no time zone “Mars/Olympus”"),
        ("soon", NEW_YORK, "is not a time"),
        ("2027-02-30 10:00", NEW_YORK, "is not a time"),
    ],
)
def test_a_time_that_can_be_read_two_ways_is_refused(typed: str, zone: ZoneInfo, says: str) -> None:
    with pytest.raises(ZoneError, match=says):
        read_moment(typed, zone)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("America/New_York", "January 22, 2027, 11:59 PM EST"),
        ("Europe/Berlin", "January 23, 2027, 5:59 AM CET"),
        ("America/Sao_Paulo", "January 23, 2027, 1:59 AM UTC-03:00"),
    ],
)
def test_a_time_in_words(zone: str, words: str) -> None:
    assert in_words(dt.datetime(2027, 1, 23, 4, 59, tzinfo=dt.UTC), ZoneInfo(zone)) == words


def test_the_course_has_one_zone() -> None:
    api = {"timezone": "Europe/Berlin"}
    assert zone_of(Config({"NbGraderAPI": api})) == ZoneInfo("Europe/Berlin")
    with pytest.raises(LmsError, match="one time zone"):
        zone_of(Config({"NbGraderAPI": api, "Lms": {"timezone": "America/New_York"}}))
