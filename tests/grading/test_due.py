"""Due dates mean the course's time zone everywhere, and where places differ, that is said."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from nbgrader import utils
from playwright.sync_api import Page
from traitlets.config import Config

from pcn_course.care.doctor import doctor
from pcn_course.cli import main
from pcn_course.grading.due import carry_all, due_dates, in_words, read_in_course_zone, report
from pcn_course.grading.room import Room, open_room
from tests.support.nbgrader_course import Course

STEP = "step-1-goals"
DUE = "2027-01-22T23:59:00-05:00"
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course in New York whose first step is in the gradebook, without a date there."""
    made = Course.make(tmp_path / "course", due=f'"{STEP}" = {DUE}')
    config = made.instructor.room / "nbgrader_config.py"
    config.write_text(f'{config.read_text()}\nc.Lms.timezone = "America/New_York"\n')
    with made.instructor.gradebook() as gradebook:
        gradebook.add_assignment(STEP)
    return made


def opened(course: Course) -> Room:
    return open_room(course.instructor.room)


def set_due(course: Course, moment: dt.datetime | None) -> None:
    naive = moment.astimezone(dt.UTC).replace(tzinfo=None) if moment else None
    with course.instructor.gradebook() as gradebook:
        gradebook.update_or_create_assignment(STEP, duedate=naive)


def in_gradebook(course: Course) -> dt.datetime:
    with course.instructor.gradebook() as gradebook:
        moment: dt.datetime = gradebook.find_assignment(STEP).duedate
    return moment.replace(tzinfo=dt.UTC)


def write_due(course: Course, due: str) -> None:
    file = course.root / "data" / "course.toml"
    file.write_text(file.read_text().replace(DUE, due))


def pcn(course: Course, *words: str) -> Result:
    place = "--course" if words[0] == "check" else "--room"
    folder = course.root if words[0] == "check" else course.instructor.room
    return CliRunner().invoke(main, [*words, place, str(folder)])


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        ("2027-01-22T23:59:00-05:00", "America/New_York", "January 22, 2027, 11:59 PM EST"),
        ("2027-07-01T16:00:00+00:00", "America/New_York", "July 1, 2027, 12:00 PM EDT"),
        ("2027-07-01T04:05:20+00:00", "UTC", "July 1, 2027, 4:05:20 AM UTC"),
        ("2027-07-01T03:00:00+00:00", "America/Sao_Paulo", "July 1, 2027, 12:00 AM UTC-03"),
    ],
)
def test_a_date_is_said_by_the_clock_of_its_zone(moment: str, zone: str, words: str) -> None:
    assert in_words(dt.datetime.fromisoformat(moment), ZoneInfo(zone)) == words


# ---- nbgrader's reading --------------------------------------------------------------------------


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    config = Config()
    read_in_course_zone(config)
    config.Lms.timezone = "America/New_York"  # as nbgrader_config.py does, after `configure`


@pytest.mark.parametrize("zone", ["-0500", "-05:00", "EST", "America/New_York"])
@pytest.mark.usefixtures("new_york")
def test_nbgrader_reads_each_way_to_write_a_zone(zone: str) -> None:
    read = utils.parse_utc(f"2027-01-22 23:59:00 {zone}")
    assert read == dt.datetime(2027, 1, 23, 4, 59)  # noqa: DTZ001


@pytest.mark.parametrize("zone", ["EDT", "CST", "Mars/Olympus", "500"])
@pytest.mark.usefixtures("new_york")
def test_a_zone_that_nbgrader_would_take_for_utc_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match=f"“{zone}” is not a time zone"):
        utils.parse_utc(f"2027-01-22 23:59:00 {zone}")


@pytest.mark.usefixtures("new_york")
def test_times_without_a_zone_are_utc_as_before() -> None:
    assert utils.parse_utc("2027-01-22 23:59:00") == dt.datetime(2027, 1, 22, 23, 59)  # noqa: DTZ001
    assert utils.parse_utc("2027-01-22T23:59:00Z") == dt.datetime(2027, 1, 22, 23, 59)  # noqa: DTZ001
    assert utils.parse_utc(None) is None


def test_the_command_of_nbgrader_takes_an_offset_as_one(course: Course) -> None:
    course.instructor.nbgrader(
        "db", "assignment", "add", STEP, "--duedate", "2027-02-01 12:00:00 -0500"
    )
    assert in_gradebook(course) == dt.datetime(2027, 2, 1, 17, 0, tzinfo=dt.UTC)


@pytest.mark.browser
def test_a_date_set_in_formgrader_means_the_courses_zone_on_that_date(
    course: Course, page: Page
) -> None:
    typed = {"2027-01-22T23:59": -5, "2027-07-01T23:59": -4}
    with course.instructor.formgrader() as address:
        for local, offset in typed.items():
            page.goto(f"{address}/manage_assignments")
            row = page.locator("tbody tr").filter(has_text=STEP)
            row.locator(".edit a, .edit button").first.click()
            page.locator(".modal.in .modal-duedate").fill(local)
            with page.expect_response(lambda answer: answer.request.method == "PUT"):
                page.locator(".modal.in").get_by_role("button", name="Save").click()
            zone = dt.timezone(dt.timedelta(hours=offset))
            assert in_gradebook(course) == dt.datetime.fromisoformat(local).replace(tzinfo=zone)
        # Saved again as it is offered, it stays.
        page.goto(f"{address}/manage_assignments")
        row = page.locator("tbody tr").filter(has_text=STEP)
        row.locator(".edit a, .edit button").first.click()
        with page.expect_response(lambda answer: answer.request.method == "PUT"):
            page.locator(".modal.in").get_by_role("button", name="Save").click()
        assert in_gradebook(course) == dt.datetime(2027, 7, 2, 3, 59, tzinfo=dt.UTC)


# ---- course.toml and the gradebook ---------------------------------------------------------------


def test_a_date_changed_in_the_course_reaches_the_gradebook(course: Course) -> None:
    assert carry_all(opened(course)) == [
        f"{STEP}: the due date of data/course.toml is in the gradebook now."
    ]
    write_due(course, "2027-01-29T23:59:00-05:00")
    assert carry_all(opened(course))
    assert in_gradebook(course) == dt.datetime(2027, 1, 30, 4, 59, tzinfo=dt.UTC)
    assert carry_all(opened(course)) == []


def test_a_date_set_in_formgrader_is_not_overwritten(course: Course) -> None:
    carry_all(opened(course))
    moved = dt.datetime(2027, 2, 1, 12, 0, tzinfo=NEW_YORK)
    set_due(course, moved)
    write_due(course, "2027-01-29T23:59:00-05:00")
    (text,) = carry_all(opened(course))
    assert "was not taken" in text
    assert in_gradebook(course) == moved


def test_all_commands_say_dates_and_disagreements(course: Course) -> None:
    set_due(course, dt.datetime(2027, 2, 1, 12, 0, tzinfo=NEW_YORK))
    folder = course.instructor.room / "release" / STEP
    folder.mkdir(parents=True)
    notebook = {"metadata": {"pcn": {"due": "2027-01-23T04:59:00Z"}}}
    (folder / f"{STEP}.ipynb").write_text(json.dumps(notebook))
    counts = "February 1, 2027, 12:00 PM EST"
    other = "January 22, 2027, 11:59 PM EST"
    said = {
        "check": pcn(course, "check").output,
        "late": pcn(course, "late").output,
        "doctor": "\n".join(
            one.says for one in doctor(course.instructor.room) if one.check == "due dates"
        ),
    }
    for command, text in said.items():
        assert f"the gradebook says {counts}" in text, command
        assert f"data/course.toml says {other}" in text, command
        assert f"students who have it from the release folder see {other}" in text, command
    assert f"{STEP}: due {counts}" in said["check"]
    assert f"{STEP}: due {counts}" in said["late"]


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (dt.datetime(2027, 1, 22, 23, 59, tzinfo=dt.UTC), "was taken for UTC"),
        (dt.datetime(2027, 1, 23, 0, 7, 20, tzinfo=dt.UTC), "was taken for seconds"),
    ],
)
def test_a_zone_that_was_misread_is_recognized(course: Course, read: dt.datetime, why: str) -> None:
    set_due(course, read)
    _, differing = report(opened(course))
    assert why in " ".join(differing)


def test_where_all_agree_there_is_nothing_to_say(course: Course) -> None:
    carry_all(opened(course))
    course.instructor.nbgrader("generate_assignment", STEP, "--force")
    room = opened(course)
    lines, differing = report(room)
    assert lines == [f"{STEP}: due January 22, 2027, 11:59 PM EST"]
    assert differing == []
    assert due_dates(room)[0].released == {"release folder": due_dates(room)[0].counts}


def test_generating_says_what_students_will_see(course: Course) -> None:
    log = course.instructor.nbgrader("generate_assignment", STEP, "--force").stderr
    assert f"{STEP}: students will see January 22, 2027, 11:59 PM EST" in log


def test_a_course_without_a_gradebook_gets_none_by_looking(tmp_path: Path) -> None:
    made = Course.make(tmp_path / "course", due=f'"{STEP}" = {DUE}')
    gradebook = made.instructor.room / "gradebook.db"
    gradebook.unlink()
    assert "due January" in pcn(made, "check").output
    assert not gradebook.exists()
