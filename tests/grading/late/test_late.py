"""Late work: what a table says, what it costs, and that it is the same wherever it is shown."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import nbformat
import pytest
from docx import Document
from hypothesis import example as also
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.apps import ExportApp
from nbgrader.coursedir import CourseDirectory

from pcn_course.course import Course, load_course
from pcn_course.grading.feedback.returning import write_words
from pcn_course.grading.gradebook import audit_log
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.late import penalties
from pcn_course.grading.late import rules as late_rules
from pcn_course.grading.late.penalties import Csv, recalculate
from pcn_course.grading.late.rules import FILE, LateError, Rules, example, read_rules
from pcn_course.grading.late.values import Amount, Length
from pcn_course.grading.lms.exporters import Canvas
from pcn_course.grading.lms.roster import Entry, Roster, write_roster
from tests.support import nbgrader_course
from tests.support.room import HANDED_IN, make_room
from tests.support.submissions import lay_down

FILES = Path(__file__).parents[2] / "files" / "late"
ZONE = ZoneInfo("America/New_York")
STEP = "step-1-goals"
STUDENTS = ("ada", "ben", "cyd")
NUMBER = {"ada": "101", "ben": "102", "cyd": "103"}
"""By which the LMS knows them."""
DAY = dt.timedelta(days=1)
RULES = "what,student,step,value\npenalty,,all,10%\n"
CRITERIA = ("reasoning", "evidence", "ethics", "action")


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(nbgrader_course.CHECKOUT)


# What a table says


def told(rules: Rules) -> str:
    """The rules as text, one line each."""
    lines = [
        f"grace {step} {one.time}" for step, one in rules.grace.items()
    ]  # fmt: skip
    for what, amounts in (("penalty", rules.penalty), ("cap", rules.cap)):
        for step, amount in amounts.items():
            unit = "percent" if amount.percent else "points"
            lines.append(f"{what} {step} {amount.number:g} {unit}")
    for one in rules.extensions:
        until = one.until.time if isinstance(one.until, Length) else f"until {one.until}"
        lines.append(f"extension {one.student} {one.step} {until}")
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("name", sorted(path.name for path in (FILES / "good").iterdir()))
def test_a_good_table_says(name: str, course: Course) -> None:
    folder = FILES / "good" / name
    said = told(read_rules(folder / FILE, course, ZONE))
    print(said)
    assert said == (folder / "expected.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.name for path in (FILES / "bad").iterdir()))
def test_of_a_bad_table_every_fault_is_told(name: str, course: Course) -> None:
    folder = FILES / "bad" / name
    with pytest.raises(LateError) as caught:
        read_rules(folder / FILE, course, ZONE)
    said = "".join(f"{fault}\n" for fault in caught.value.faults)
    said = said.replace(str(folder / FILE), FILE)
    print(said)
    assert said == (folder / "expected.txt").read_text(encoding="utf-8")


def test_the_examples_are_good_tables(course: Course, tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text(example(course), encoding="utf-8")
    assert len(read_rules(path, course, ZONE).extensions) == 2
    doc = late_rules.__doc__ or ""
    inside = doc[doc.index("    what,") : doc.index("\n- ``what``")]
    path.write_text("\n".join(line.strip() for line in inside.strip().splitlines()))
    assert told(read_rules(path, course, ZONE)) == told(
        read_rules(FILES / "good" / "plain" / FILE, course, ZONE)
    )


CELLS = st.sampled_from(
    ["grace", "penalty", "extension", "all", "1", "ada", "3 days", "10%", "1/2/2027", "0", "9" * 30]
) | st.text(max_size=12)


@settings(deadline=None)
@also(rows=[["\x1a"]])
@also(rows=[["all", "\x1a\x1a"]])
@given(rows=st.lists(st.lists(CELLS, max_size=6), max_size=4))
def test_whatever_stands_in_it_it_is_read_or_its_faults_are_told(
    rows: list[list[str]], course: Course, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzzed.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["what", "student", "step", "value"], *rows])
    faults: tuple[str, ...] = ()
    try:
        rules = read_rules(path, course, ZONE)
    except LateError as error:
        faults = error.faults
    else:
        filled = [row for row in rows if any(cell.strip() for cell in row)]
        said = len(rules.grace) + len(rules.penalty) + len(rules.cap) + len(rules.extensions)
        assert said == len(filled)
    assert all(str(path) in fault for fault in faults)


# What it costs


def test_it_costs_what_the_help_says() -> None:
    rules = Rules(
        grace={"all": Length(0, 7200)},
        penalty={"all": Amount(10, percent=True)},
        cap={"all": Amount(50, percent=True)},
    )
    friday = dt.datetime(2027, 1, 22, 23, 59)  # noqa: DTZ001 (any clock)

    def costs(day: int, hour: int, minute: int) -> float:
        came = dt.datetime(2027, 1, day, hour, minute)  # noqa: DTZ001
        return rules.taken(STEP, rules.days(STEP, came - friday), 20)

    assert costs(23, 1, 59) == 0
    assert costs(23, 2, 0) == 2
    assert costs(24, 0, 30) == 4
    assert [costs(day, 12, 0) for day in (25, 26, 27, 28, 29)] == [6, 8, 10, 10, 10]


LENGTHS = st.builds(Length, st.integers(0, 20), st.floats(0, 86_400))
AMOUNTS = st.builds(Amount, st.floats(0, 20)) | st.builds(
    Amount, st.floats(0, 100), percent=st.just(True)
)
BY_STEP = st.sampled_from(("all", STEP, "step-2-connections"))
MOMENTS = st.datetimes(
    dt.datetime(2027, 1, 1),  # noqa: DTZ001 (the strategy adds the zone)
    dt.datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
EXTENSIONS = st.builds(
    late_rules.Extension,
    st.just(2),
    st.sampled_from(("ada", "ben")),
    BY_STEP,
    LENGTHS | MOMENTS,
)
ALL_RULES = st.builds(
    Rules,
    zone=st.just(ZONE),
    grace=st.dictionaries(BY_STEP, LENGTHS),
    penalty=st.dictionaries(BY_STEP, AMOUNTS),
    cap=st.dictionaries(BY_STEP, AMOUNTS),
    extensions=st.lists(EXTENSIONS, max_size=3).map(tuple),
)


def cost(rules: Rules, due: dt.datetime, came: dt.datetime) -> float:
    over = max(dt.timedelta(), came - due - rules.more_time("ada", STEP, due))
    return rules.taken(STEP, rules.days(STEP, over), 20)


@settings(deadline=None)
@given(rules=ALL_RULES, due=MOMENTS, first=MOMENTS, second=MOMENTS)
def test_who_comes_later_never_pays_less(
    rules: Rules, due: dt.datetime, first: dt.datetime, second: dt.datetime
) -> None:
    earlier, later = sorted((first, second))
    assert 0 <= cost(rules, due, earlier) <= cost(rules, due, later) <= 20


@settings(deadline=None)
@given(rules=ALL_RULES, due=MOMENTS, came=MOMENTS, more=EXTENSIONS)
def test_an_extension_never_raises_a_penalty(
    rules: Rules, due: dt.datetime, came: dt.datetime, more: late_rules.Extension
) -> None:
    extended = Rules(
        rules.zone, rules.grace, rules.penalty, rules.cap, (*rules.extensions, more)
    )  # fmt: skip
    assert rules.more_time("ada", STEP, due) >= dt.timedelta()
    assert cost(extended, due, came) <= cost(rules, due, came)


def test_days_of_an_extension_keep_the_time_of_the_clock() -> None:
    due = dt.datetime(2027, 3, 12, 23, 59, tzinfo=ZONE)  # clocks go forward on the 14th
    rules = Rules(ZONE, extensions=(late_rules.Extension(2, "Ada", "all", Length(3)),))
    more = rules.more_time("ada", STEP, due.astimezone(dt.UTC))
    assert more == 3 * DAY - dt.timedelta(hours=1)


# In the gradebook


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a course to be copied: a gradebook takes its time."""
    room = make_room(tmp_path_factory.mktemp("late") / "course", STUDENTS)
    move_due(room, HANDED_IN - dt.timedelta(hours=27))
    room.close()
    return room.root.parent


@pytest.fixture
def room(made: Path, tmp_path: Path) -> Iterator[Room]:
    """Three students who handed in 27 hours late, and have 3 points each."""
    shutil.copytree(made, tmp_path / "course")
    room = open_room(tmp_path / "course" / "assignments")
    yield room
    room.close()


def move_due(room: Room, due: dt.datetime | None) -> None:
    with room.gradebook() as gradebook:
        gradebook.find_assignment(STEP).duedate = due.replace(tzinfo=None) if due else None
        gradebook.db.commit()


def write(room: Room, *lines: str) -> None:
    (room.root / FILE).write_text(RULES + "".join(f"{line}\n" for line in lines))


def kept(room: Room) -> dict[str, tuple[float, dt.timedelta | None]]:
    """Penalty and extension of each student, as nbgrader has them."""
    with room.gradebook() as gradebook:
        found = {one: gradebook.find_submission(STEP, one) for one in STUDENTS}
        return {
            student: (one.late_submission_penalty, one.extension) for student, one in found.items()
        }


def test_without_a_table_nothing_is_subtracted(room: Room) -> None:
    with room.gradebook() as gradebook:
        gradebook.find_submission_notebook(STEP, STEP, "ada").late_submission_penalty = 2
        gradebook.grant_extension(STEP, "ben", days=1)
        gradebook.db.commit()
    assert recalculate(room).changed == 1
    assert kept(room) == {"ada": (0, None), "ben": (0, DAY), "cyd": (0, None)}


def test_penalties_and_extensions_come_into_the_gradebook(room: Room) -> None:
    write(room, "grace,,all,2 hours", "extension,BEN,goals,1 day", "extension,cyd,all,2 weeks")
    before = kept(room)
    assert recalculate(room, dry_run=True).changed == 3
    assert kept(room) == before
    done = recalculate(room)
    assert {one.student: (one.days, one.penalty) for one in done.submissions} == {
        "ada": (2, 3),  # 4 points, of which there are 3 yet
        "ben": (1, 2),
        "cyd": (0, 0),
    }
    assert kept(room) == {"ada": (3, None), "ben": (2, DAY), "cyd": (0, 14 * DAY)}
    assert (done.changed, recalculate(room).changed) == (3, 0)
    over = {one.student.id: one.seconds_late for one in Marking(room, "x").listed(STEP)}
    assert over == {"ada": 27 * 3600, "ben": 3 * 3600, "cyd": 0}


def test_a_mark_and_its_undoing_renew_the_penalty(room: Room) -> None:
    write(room)
    marking = Marking(room, "grader")
    marking.give("ada", STEP, "ethics", 4)
    one = marking.submission("ada", STEP)
    assert (one.raw, one.penalty, one.total) == (7, 4, 3)
    marking.undo(STEP)
    one = marking.submission("ada", STEP)
    assert (one.raw, one.penalty, one.total) == (3, 3, 0)
    assert kept(room)["ben"] == (0, None), "others are not touched by this mark"


def test_a_mark_that_is_given_meanwhile_counts(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    write(room)
    marking = Marking(room, "grader")
    read = penalties._submissions
    other = threading.Thread(target=marking.give, args=("ada", STEP, "ethics", 4))

    def read_and_hesitate(*which: Any) -> Any:
        rows = read(*which)
        if other.ident is None:
            other.start()
            other.join(timeout=0.5)  # it would be done by now, if it did not have to wait
        return rows

    monkeypatch.setattr(penalties, "_submissions", read_and_hesitate)
    recalculate(room)
    other.join()
    assert kept(room)["ada"] == (4, None)


def test_a_due_date_that_moves_moves_the_penalties(room: Room) -> None:
    until = (HANDED_IN + DAY).strftime("%Y-%m-%d %H:%M UTC")
    write(room, f"extension,ben,all,{until}")
    recalculate(room)
    assert kept(room) == {"ada": (3, None), "ben": (0, dt.timedelta(hours=51)), "cyd": (3, None)}
    move_due(room, HANDED_IN - dt.timedelta(hours=1))
    assert recalculate(room).changed == 3
    assert kept(room) == {"ada": (2, None), "ben": (0, dt.timedelta(hours=25)), "cyd": (2, None)}
    move_due(room, HANDED_IN + 3 * DAY)
    done = recalculate(room)
    assert kept(room) == dict.fromkeys(STUDENTS, (0, None))
    assert len(done.notes) == 1
    assert "line 3: this is not after the due date" in done.notes[0]


def test_without_a_due_date_nobody_is_late_and_nothing_stops_nbgrader(room: Room) -> None:
    write(room, "extension,ben,all,3 days")
    recalculate(room)
    move_due(room, None)
    assert recalculate(room).notes == ()
    assert kept(room) == dict.fromkeys(STUDENTS, (0, None))
    with room.gradebook() as gradebook:
        assert gradebook.find_submission(STEP, "ben").total_seconds_late == 0


def test_a_line_that_goes_takes_its_extension_along(room: Room) -> None:
    write(room, "extension,ben,all,3 days")
    recalculate(room)
    write(room)
    recalculate(room)
    assert kept(room)["ben"] == (3, None)


def test_who_is_not_in_the_gradebook_yet_is_named(room: Room) -> None:
    write(room, "extension,bne,all,3 days")
    (note,) = recalculate(room).notes
    assert note.startswith(f"{room.root / FILE}, line 3: ")
    assert "“bne”" in note


def test_faults_change_nothing_and_stop_nobodys_marking(room: Room, tmp_path: Path) -> None:
    write(room)
    recalculate(room)
    before = kept(room)
    write(room, "extension,ada,all,soon", "extension,ben,all,3 days")
    with pytest.raises(LateError, match="line 3, column value: “soon”"):
        recalculate(room)
    assert kept(room) == before
    assert Marking(room, "grader").give("ada", STEP, "ethics", 4).points == 4
    assert kept(room) == before
    with pytest.raises(LateError, match="soon"):
        exported(room, tmp_path)
    assert not list(tmp_path.glob("*.csv"))


def test_a_zone_that_is_none_is_told(room: Room) -> None:
    write(room)
    room.config.Lms.timezone = "Mars/Olympus"
    with pytest.raises(LateError, match="Mars/Olympus"):
        recalculate(room)


def test_penalties_of_another_plugin_are_left_to_it(room: Room) -> None:
    write(room, "extension,ben,all,3 days")
    room.config.AssignLatePenalties.plugin_class = "elsewhere.Plugin"
    done = recalculate(room)
    assert kept(room) == {"ada": (0, None), "ben": (0, 3 * DAY), "cyd": (0, None)}
    assert "elsewhere.Plugin" in done.notes[0]


def exported(room: Room, folder: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of our file for Canvas, and of nbgrader's own."""
    found = {}
    for kind in (Canvas, Csv):
        app = ExportApp()
        app.coursedir = CourseDirectory(root=str(room.root), db_url=room.db_url)
        path = folder / f"{kind.__name__}.csv"
        app.fail = _raise  # in place of ending this process
        exporter: Any = kind(parent=app, to=str(path))
        with room.gradebook() as gradebook:
            exporter.export(gradebook)
        with path.open(encoding="utf-8-sig", newline="") as file:
            found[kind.__name__] = list(csv.DictReader(file))
    return found


def _raise(_: str, plain: str) -> None:
    raise LateError((plain,))


def test_each_export_sees_the_totals_of_this_moment(room: Room, tmp_path: Path) -> None:
    write_roster(
        room.root / "roster.csv", Roster(Entry(id=one, lms_id=NUMBER[one]) for one in STUDENTS)
    )
    marking = Marking(room, "grader")
    for criterion in CRITERIA:
        marking.give("ada", STEP, criterion, 3)
    write(room, "cap,,all,3 points")
    found = exported(room, tmp_path)
    (ada,) = (row for row in found["Canvas"] if row["ID"] == NUMBER["ada"])
    assert [cell for header, cell in ada.items() if header.startswith("Step 1")] == ["12"]
    totals = {row["student_id"]: float(row["score"]) for row in found["Csv"]}
    assert totals == {"ada": 12, "ben": 0, "cyd": 0}
    write(room, "extension,ada,all,1 day")
    found = exported(room, tmp_path)
    (ada,) = (row for row in found["Canvas"] if row["ID"] == NUMBER["ada"])
    assert [cell for header, cell in ada.items() if header.startswith("Step 1")] == ["13"]
    assert {row["student_id"]: float(row["score"]) for row in found["Csv"]}["ada"] == 13


def test_nbgraders_own_table_is_quoted_guarded_and_private(room: Room, tmp_path: Path) -> None:
    write_roster(
        room.root / "roster.csv", Roster(Entry(id=one, lms_id=NUMBER[one]) for one in STUDENTS)
    )
    with room.gradebook() as gradebook:
        ada, ben = gradebook.find_student("ada"), gradebook.find_student("ben")
        ada.last_name, ben.first_name = 'King, "III"', '=HYPERLINK("//elsewhere.test")'
        gradebook.db.commit()
    rows = {row["student_id"]: row for row in exported(room, tmp_path)["Csv"]}
    assert set(rows) == set(STUDENTS)
    assert rows["ada"]["last_name"] == 'King, "III"'
    assert rows["ben"]["first_name"] == '\'=HYPERLINK("//elsewhere.test")'
    assert float(rows["ada"]["max_score"]) == 20
    assert (tmp_path / "Csv.csv").stat().st_mode & 0o077 == 0
    told = [(one.what, one.marker) for one in audit_log.read(room.root)[0]]
    assert ("export", "csv") in told


def test_letters_forget_a_table_that_is_gone_as_exports_do(room: Room, tmp_path: Path) -> None:
    write(room)
    recalculate(room)
    assert kept(room)["ada"][0] == 3
    (room.root / FILE).unlink()
    graded = room.root / room.autograded / "ada" / STEP
    graded.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(), graded / f"{STEP}.ipynb")
    (name,), _ = write_words(room, STEP, tmp_path)
    said = "\n".join(one.text for one in Document(str(tmp_path / name)).paragraphs)
    assert "3 of 20 points" in said
    assert "for handing in late" not in said
    assert kept(room)["ada"][0] == 0


def test_who_has_points_is_exported_without_a_time_too_and_named(
    room: Room, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_roster(
        room.root / "roster.csv", Roster(Entry(id=one, lms_id=NUMBER[one]) for one in STUDENTS)
    )
    for criterion in CRITERIA:
        Marking(room, "grader").give("ada", STEP, criterion, 3)
    with room.gradebook() as gradebook:
        for student in ("ada", "ben"):
            gradebook.find_submission(STEP, student).timestamp = None
        gradebook.db.commit()
    found = {row["ID"]: row for row in exported(room, tmp_path)["Canvas"]}
    (header,) = (one for one in found[NUMBER["ada"]] if one.startswith("Step 1"))
    assert found[NUMBER["ada"]][header] == "15"
    assert found[NUMBER["ben"]][header] == "", "his marks are still to come"
    (said,) = (line for line in capfd.readouterr().err.splitlines() if "timestamp.txt" in line)
    assert f"ada ({STEP}), ben ({STEP})" in said
    assert "cyd" not in said


# With nbgrader itself


def test_nbgrader_autogrades_and_exports_with_the_table(tmp_path: Path) -> None:
    course = nbgrader_course.Course.make(
        tmp_path / "course", exchange=tmp_path / "exchange", due=f'"{STEP}" = 2027-01-19T07:00:00Z'
    )
    instructor = course.instructor
    instructor.nbgrader("generate_assignment", STEP)
    full = nbgrader_course.sample_answers(course.content.step(STEP))
    lay_down(course, STEP, dict.fromkeys(STUDENTS, full))
    room = open_room(instructor.room)
    write(room, "penalty,,1,1.5 points", "extension,ben,all,2 days")
    instructor.autograde(STEP)
    # Of four points for structure two days begun cost ada three; ben has time.
    assert kept(room) == {"ada": (3, None), "ben": (0, 2 * DAY), "cyd": (3, None)}
    assert recalculate(room).changed == 0, "nbgrader's plugin computes the same"

    write(room, "penalty,,1,")
    log = instructor.autograde(STEP, "--force", "--student=ada")
    assert "No late penalty was computed" in log
    assert "line 3, column value: It is empty" in log
    assert kept(room)["ada"][0] == 3, "it stays until the table is mended"
    refused = instructor.nbgrader("export", "--to=grades.csv", must_succeed=False)
    assert refused.returncode == 1
    assert "line 3, column value: It is empty" in refused.stderr
    assert not (instructor.room / "grades.csv").exists()

    write(room, "penalty,,1,0.5 points")
    instructor.nbgrader("export", "--to=grades.csv")
    with (instructor.room / "grades.csv").open(newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {student: float(row["score"]) for student, row in rows.items()} == {
        "ada": 3, "ben": 3, "cyd": 3,
    }  # fmt: skip
    room.close()
