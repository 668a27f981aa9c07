"""The week as a calendar file: read back by icalendar, unrolled over a change of the clocks."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from pcn_course.course import default_root, load_course
from pcn_course.example import example_values
from pcn_course.planning.week import Entry, calendar, entries, week

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


def unrolled(event: Any) -> list[dt.datetime]:
    """The first three times of an event, by another library's reading of its rule."""
    first = event["dtstart"].dt
    if not isinstance(first, dt.datetime):
        first = dt.datetime.combine(first, dt.time())
    found: list[dt.datetime] = rrulestr(event["rrule"].to_ical().decode(), dtstart=first)[:3]
    return found


def test_a_weekly_time_has_its_zone_its_length_and_a_reminder() -> None:
    content = calendar(COURSE, managing(), "abc123", NOW)
    assert b"METHOD" not in content
    assert b"BEGIN:VTIMEZONE" in content
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    event = read(managing())["time"]
    start = event["dtstart"].dt
    assert start == dt.datetime(2027, 3, 16, 7, 30, tzinfo=ZoneInfo("America/New_York"))
    assert event["dtstart"].params["TZID"] == "America/New_York"
    assert event["dtend"].dt - start == dt.timedelta(minutes=20)
    assert event["dtend"].params["TZID"] == "America/New_York"
    assert dict(event["rrule"]) == {"FREQ": ["WEEKLY"], "BYDAY": ["TU"]}
    assert event["summary"] == "Answer the list"
    assert event.walk("VALARM")[0]["trigger"].dt == dt.timedelta(minutes=-10)


def test_it_stays_at_its_time_when_the_clocks_change() -> None:
    event = read(managing(), dt.datetime(2027, 3, 8, tzinfo=dt.UTC))["time"]
    before, after = unrolled(event)[:2]
    assert (before.hour, after.hour) == (7, 7)
    offsets = [one.utcoffset() for one in (before, after)]
    assert offsets == [dt.timedelta(hours=-5), dt.timedelta(hours=-4)]


@pytest.mark.parametrize(
    ("how_often", "rule"),
    [
        ("weekly", {"FREQ": ["WEEKLY"], "BYDAY": ["TU"]}),
        ("fortnightly", {"FREQ": ["WEEKLY"], "BYDAY": ["TU"], "INTERVAL": [2]}),
        ("monthly", {"FREQ": ["MONTHLY"], "BYDAY": ["1TU"]}),
    ],
)
def test_the_rhythm_is_the_students(how_often: str, rule: dict[str, Any]) -> None:
    event = read(managing(how_often_to_engage=how_often))["time"]
    assert dict(event["rrule"]) == rule
    # A start that its own rule does not give is shown once too often by some calendars.
    assert unrolled(event)[0] == event["dtstart"].dt


@pytest.mark.parametrize("how_often", ["fortnightly", "monthly"])
def test_a_file_of_a_later_week_moves_no_time(how_often: str) -> None:
    rows = [{**ROW, "id": day, "day": day} for day in ("mon", "tue", "sun")]
    values = managing(how_often_to_engage=how_often, weekly_times=rows)
    days: dict[str, list[tuple[dt.date, ...]]] = {}
    for weeks in range(6):
        now = NOW + dt.timedelta(weeks=weeks)
        events: list[Any] = Calendar.from_ical(calendar(COURSE, values, "abc", now)).walk("VEVENT")
        for event in events:
            begin, rule = event["dtstart"].dt, event["rrule"].to_ical().decode()
            assert begin.date() >= now.date()
            found = rrulestr(rule, dtstart=begin.replace(tzinfo=None))
            assert found[0].date() == begin.date()
            within = found.between(dt.datetime(2027, 5, 1), dt.datetime(2027, 8, 1))  # noqa: DTZ001
            days.setdefault(str(event["uid"]), []).append(tuple(one.date() for one in within))
    assert len(days) == 3
    assert all(len(set(found)) == 1 for found in days.values())
    if how_often == "fortnightly":
        weeks_of = [{one.isocalendar().week for one in found[0]} for found in days.values()]
        assert weeks_of[0] & weeks_of[1] & weeks_of[2]
        assert len(weeks_of[0] | weeks_of[1] | weeks_of[2]) <= 8


@pytest.mark.parametrize("how_often", ["as-needed", "not-now"])
def test_without_fixed_times_only_the_review_stays(how_often: str) -> None:
    quiet = {"quiet_from": "19:00", "quiet_to": "07:30"}
    values = managing(how_often_to_engage=how_often, review_date="2027-05-14", **quiet)
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
    assert "rrule" not in read(managing(review_date="2027-05-14", review_again="once"))["review"]


@pytest.mark.parametrize(
    ("day", "then"),
    [
        ("2027-01-28", dt.date(2027, 2, 28)),
        ("2027-01-30", dt.date(2027, 2, 28)),
        ("2027-01-31", dt.date(2027, 2, 28)),
        ("2027-03-31", dt.date(2027, 4, 30)),
    ],
)
def test_a_review_late_in_the_month_skips_no_month(day: str, then: dt.date) -> None:
    event = read(managing(review_date=day, review_again="monthly"))["review"]
    assert [one.date() for one in unrolled(event)[:2]] == [dt.date.fromisoformat(day), then]


def test_a_time_over_midnight_ends_on_the_next_day() -> None:
    row = {**ROW, "start": "23:45", "minutes": "30"}
    event = read(managing(weekly_times=[row]))["time"]
    assert (event["dtstart"].dt.day, event["dtend"].dt.day) == (16, 17)
    assert event["dtend"].dt.time() == dt.time(0, 15)


def test_it_begins_on_the_students_day_and_not_on_the_servers() -> None:
    late = dt.datetime(2027, 3, 17, 2, 0, tzinfo=dt.UTC)  # still Tuesday in New York
    assert read(managing(), late)["time"]["dtstart"].dt.date() == dt.date(2027, 3, 16)
    there = managing(time_zone="Australia/Sydney")  # Wednesday there: a week until Tuesday
    assert read(there, late)["time"]["dtstart"].dt.date() == dt.date(2027, 3, 23)


def test_every_zone_that_can_be_chosen_is_described_in_the_file() -> None:
    prompt = COURSE.step("managing").prompt("time-zone")
    assert prompt
    for option in prompt.options:
        content = calendar(COURSE, managing(time_zone=option.value), "abc123", NOW)
        zones = [str(one["tzid"]) for one in Calendar.from_ical(content).walk("VTIMEZONE")]
        assert zones == ([] if option.value == "UTC" else [option.value])


def test_rows_that_share_an_id_or_have_none_are_entries_of_their_own() -> None:
    rows = [ROW, ROW, {**ROW, "id": None}, {**ROW, "id": ""}]
    events = Calendar.from_ical(calendar(COURSE, managing(weekly_times=rows), "abc", NOW))
    assert len({str(event["uid"]) for event in events.walk("VEVENT")}) == len(rows)


def test_a_second_import_changes_the_entries_of_the_first() -> None:
    one, two = (read(managing(), NOW + dt.timedelta(seconds=later))["time"] for later in (0, 5))
    assert one["uid"] == two["uid"]
    assert one["sequence"] < two["sequence"]
    assert one["last-modified"].dt < two["last-modified"].dt


def test_the_week_is_told_in_words() -> None:
    rows = [ROW, {**ROW, "id": "r2", "day": "mon", "minutes": "60"}]
    quiet = {"quiet_from": "19:00", "quiet_to": "07:30"}
    more = {"how_often_to_engage": "fortnightly", "review_again": "monthly"}
    found = week(COURSE, managing(weekly_times=rows, review_date="2027-05-14", **quiet, **more))
    assert [one.id for one in found.times] == ["r2", "r1"]
    assert found.minutes == 80
    assert found.total == "Together 1 hour and 20 minutes every two weeks, in 2 times."
    assert (found.rhythm, found.zone) == ("Every two weeks", "Eastern time")
    assert found.quiet == (dt.time(19), dt.time(7, 30))
    assert found.clashes == ()
    assert (found.review, found.again) == (dt.date(2027, 5, 14), "Every month")
    assert (found.unsaid, found.unfinished, found.half_quiet) == (0, 0, False)


@pytest.mark.parametrize(
    ("start", "minutes", "clash"),
    [
        ("18:30", "30", False),
        ("18:45", "30", True),
        ("18:00", "90", True),
        ("19:00", None, True),
        ("23:50", "20", True),
        ("00:00", "10", True),
        ("07:20", "20", True),
        ("07:30", "20", False),
    ],
)
def test_a_time_in_quiet_hours_is_found_on_both_sides_of_midnight(
    start: str, minutes: str | None, clash: bool
) -> None:
    row = {**ROW, "start": start, "minutes": minutes}
    found = week(COURSE, managing(weekly_times=[row], quiet_from="19:00", quiet_to="07:30"))
    assert bool(found.clashes) == clash
    whole = week(COURSE, managing(weekly_times=[row], quiet_from="19:00", quiet_to="19:00"))
    assert whole.clashes == whole.times
    noon = week(COURSE, managing(weekly_times=[row], quiet_from="12:00", quiet_to="13:00"))
    assert noon.clashes == ()


def test_the_week_says_what_it_leaves_out() -> None:
    rows = [{**ROW, "minutes": None}, {**ROW, "start": "7:30"}, 7, {"id": "empty", "day": None}]
    said = {"quiet_from": "19:00", "quiet_to": "noon", "review_date": "soon"}
    found = week(COURSE, managing(weekly_times=rows, time_zone="Mars/Olympus", **said))
    assert isinstance(found.times[0], Entry)
    assert (found.quiet, found.zone, found.review) == (None, "", None)
    assert (found.unsaid, found.unfinished, found.half_quiet) == (1, 1, True)
    nothing = week(COURSE, {})
    assert (nothing.unsaid, nothing.unfinished, nothing.half_quiet) == (0, 0, False)


def test_without_a_zone_the_times_are_local_ones() -> None:
    start = read(managing(time_zone=None))["time"]["dtstart"].dt
    assert start == dt.datetime(2027, 3, 16, 7, 30)  # noqa: DTZ001 (that is what is meant)


def test_the_example_has_a_week() -> None:
    values = example_values(COURSE)
    found = Calendar.from_ical(calendar(COURSE, values, "abc123", NOW)).walk("VEVENT")
    assert sum(str(event["uid"]).startswith("time-") for event in found) == len(entries(values)) > 0
    assert {"quiet", "review"} <= set(read(values))


def test_what_cannot_be_read_is_left_out() -> None:
    rows = [ROW, {**ROW, "start": "7:30"}, {**ROW, "day": "someday"}, {**ROW, "day": ["tue"]}, 7]
    assert len(entries({"managing": {"weekly-times": rows}})) == 1


def test_a_time_without_a_length_is_short_and_not_lost() -> None:
    event = read(managing(weekly_times=[{**ROW, "minutes": None}]))["time"]
    assert event["dtend"].dt - event["dtstart"].dt == dt.timedelta(minutes=15)


def test_a_purpose_cannot_write_lines_of_the_file() -> None:
    purpose = "x\r\nEND:VEVENT\nATTACH:http://example.org/\0;,\\"
    content = calendar(COURSE, managing(weekly_times=[{**ROW, "purpose": purpose}]), "abc", NOW)
    assert not any(line.startswith(b"ATTACH") for line in content.split(b"\r\n"))
    assert not set(content) & (set(range(32)) - {9, 10, 13})
    assert b"\n" not in content.replace(b"\r\n", b"")


JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = (
    "how-often-to-engage",
    "weekly-times",
    "time-zone",
    "quiet-from",
    "quiet-to",
    "review-date",
    "review-again",
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from(KEYS), JUNK), st.text())
def test_junk_breaks_nothing(said: dict[str, Any], purpose: str) -> None:
    rows = [{**ROW, "purpose": purpose}]
    content = calendar(COURSE, {"managing": {"weekly-times": rows, **said}}, "abc", NOW)
    Calendar.from_ical(content)
    week(COURSE, {"managing": {"weekly-times": rows, **said}})


@given(JUNK | st.dictionaries(st.just("managing"), JUNK, min_size=1))
def test_junk_in_place_of_all_answers_breaks_nothing(values: Any) -> None:
    assert not Calendar.from_ical(calendar(COURSE, values, "abc", NOW)).walk("VEVENT")
    assert week(COURSE, values).times == ()
