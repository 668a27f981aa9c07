"""The week as a calendar file: read back by icalendar, unrolled over a change of the clocks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from pcn_course.course import default_root, load_course
from pcn_course.example import example_values
from pcn_course.rhythm import calendar, entries

COURSE = load_course(default_root())
NOW = dt.datetime(2027, 3, 10, 12, 0, tzinfo=dt.UTC)  # a Wednesday, before the clocks change
ROW = {"id": "r1", "day": "tue", "start": "07:30", "minutes": "20", "purpose": "Answer the list"}


def managing(**more: Any) -> dict[str, dict[str, Any]]:
    said = {key.replace("_", "-"): value for key, value in more.items()}
    return {"managing": {"weekly-times": [ROW], "time-zone": "America/New_York", **said}}


def read(values: dict[str, dict[str, Any]], now: dt.datetime = NOW) -> dict[str, Any]:
    content = calendar(COURSE, values, "abc123", now)
    events = Calendar.from_ical(content).walk("VEVENT")
    return {str(event["uid"]).partition("-")[0]: event for event in events}


def test_a_weekly_time_has_its_zone_its_length_and_a_reminder() -> None:
    content = calendar(COURSE, managing(), "abc123", NOW)
    assert b"METHOD" not in content
    assert b"BEGIN:VTIMEZONE" in content
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    event = read(managing())["time"]
    start = event["dtstart"].dt
    assert start == dt.datetime(2027, 3, 16, 7, 30, tzinfo=ZoneInfo("America/New_York"))
    assert event["dtstart"].params["TZID"] == "America/New_York"
    assert event["duration"].dt == dt.timedelta(minutes=20)
    assert dict(event["rrule"]) == {"FREQ": ["WEEKLY"], "BYDAY": ["TU"]}
    assert event["summary"] == "Answer the list"
    assert event.walk("VALARM")[0]["trigger"].dt == dt.timedelta(minutes=-10)


def test_it_stays_at_its_time_when_the_clocks_change() -> None:
    before = read(managing(), dt.datetime(2027, 3, 8, tzinfo=dt.UTC))["time"]["dtstart"].dt
    after = before + dt.timedelta(days=7)  # the wall clock's week, as RRULE counts
    assert (before.hour, after.hour) == (7, 7)
    assert after.utcoffset() - before.utcoffset() == dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("how_often", "rule"),
    [
        ("weekly", {"FREQ": ["WEEKLY"], "BYDAY": ["TU"]}),
        ("fortnightly", {"FREQ": ["WEEKLY"], "BYDAY": ["TU"], "INTERVAL": [2]}),
        ("monthly", {"FREQ": ["MONTHLY"], "BYDAY": ["3TU"]}),
    ],
)
def test_the_rhythm_is_the_students(how_often: str, rule: dict[str, Any]) -> None:
    event = read(managing(how_often_to_engage=how_often))["time"]
    assert dict(event["rrule"]) == rule


@pytest.mark.parametrize("how_often", ["as-needed", "not-now"])
def test_without_fixed_times_only_the_review_stays(how_often: str) -> None:
    values = managing(how_often_to_engage=how_often, review_date="2027-05-14")
    assert set(read(values)) == {"review"}


def test_quiet_hours_end_after_midnight_and_block_nothing() -> None:
    event = read(managing(quiet_from="19:00", quiet_to="07:30"))["quiet"]
    assert event["dtend"].dt - event["dtstart"].dt == dt.timedelta(hours=12, minutes=30)
    assert event["transp"] == "TRANSPARENT"
    assert dict(event["rrule"]) == {"FREQ": ["DAILY"]}
    assert "quiet" not in read(managing(quiet_from="19:00"))


def test_the_review_is_a_whole_day_and_comes_again() -> None:
    event = read(managing(review_date="2027-05-14", review_again="quarterly"))["review"]
    assert event["dtstart"].dt == dt.date(2027, 5, 14)
    assert dict(event["rrule"]) == {"FREQ": ["MONTHLY"], "INTERVAL": [3]}


def test_a_second_import_changes_the_entries_of_the_first() -> None:
    one, two = (read(managing(), NOW + dt.timedelta(hours=hour))["time"] for hour in (0, 1))
    assert one["uid"] == two["uid"]
    assert one["sequence"] < two["sequence"]


def test_without_a_zone_the_times_are_local_ones() -> None:
    start = read(managing(time_zone=None))["time"]["dtstart"].dt
    assert start == dt.datetime(2027, 3, 16, 7, 30)  # noqa: DTZ001 (that is what is meant)


def test_the_example_has_a_week() -> None:
    values = example_values(COURSE)
    assert len(read(values)) > len(entries(values)) > 0 or len(entries(values)) == 1


def test_what_cannot_be_read_is_left_out() -> None:
    rows = [ROW, {**ROW, "start": "7:30"}, {**ROW, "day": "someday"}, {**ROW, "minutes": 20}, 7]
    assert len(entries({"managing": {"weekly-times": rows}})) == 1


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = ("weekly-times", "time-zone", "quiet-from", "quiet-to", "review-date", "review-again")


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), JUNK), st.text())
def test_junk_breaks_nothing(said: dict[str, Any], purpose: str) -> None:
    rows = [{**ROW, "purpose": purpose}]
    content = calendar(COURSE, {"managing": {"weekly-times": rows, **said}}, "abc", NOW)
    Calendar.from_ical(content)
