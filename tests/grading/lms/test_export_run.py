"""The whole way in the real nbgrader: an LMS's ZIP in, a class list, marks, a file for each LMS."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pcn_course.grading.gradebook.marks import UNSEEN, Marking
from pcn_course.grading.gradebook.room import open_room
from pcn_course.grading.lms.roster import Imported, import_roster
from tests.grading.lms import readers, samples
from tests.grading.lms.samples import CLASS, STEP, Upload
from tests.support.nbgrader_course import Course, Student, sample_answers

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ZONE = ZoneInfo("America/New_York")
EXPORTER = "pcn_course.grading.lms.exporters"
MARKS = {"ada": (4, 3, 2, 1), "ben": (1, 1, 1, 1)}
CRITERIA = ("reasoning", "evidence", "ethics", "action")


@dataclass
class Run:
    """What happened, for the tests to look at."""

    course: Course
    folder: Path
    imported: Imported
    logs: dict[str, str]
    totals: dict[str, float]
    """What nbgrader's own gradebook says, by student."""

    def export(self, name: str, *options: str, must_succeed: bool = True) -> str:
        done = self.course.instructor.nbgrader(
            "export", f"--exporter={EXPORTER}.{name}", *options, must_succeed=must_succeed
        )
        assert must_succeed or done.returncode == 1
        return done.stderr


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    base = tmp_path_factory.mktemp("lms")
    course = Course.make(base / "course")
    instructor = course.instructor
    instructor.nbgrader("generate_assignment", STEP)
    logs = {}
    uploads = []
    step = course.content.step(STEP)
    for one in CLASS[:3]:
        student = Student.join(course, base / one.id, one.id)
        student.workspace.fill(course.content)
        student.answer("goals", sample_answers(step))
        made = student.zip_of("goals")
        uploads.append(Upload(one, made.name, made.read_bytes(), dt.datetime.now(dt.UTC)))
    logs["zip_collect"] = instructor.collect_zips(
        STEP, samples.bulk("canvas", uploads, base / "submissions.zip", ZONE)
    )
    instructor.autograde(STEP)
    room = open_room(instructor.room)
    downloaded = base / "gradebook.csv"
    downloaded.write_bytes(samples.brightspace_export(CLASS[:3]))
    with room.gradebook() as gradebook:
        gradebook.find_student("ben").email = CLASS[1].email
        gradebook.find_student("zoe").email = CLASS[2].email
        gradebook.db.commit()
    imported = import_roster(room, downloaded, "brightspace")
    marking = Marking(room, "grader")
    for student_id, marks in MARKS.items():
        for criterion, mark in zip(CRITERIA, marks, strict=True):
            marking.give(student_id, STEP, criterion, mark, seen=UNSEEN)
    with room.gradebook() as gradebook:
        totals = {
            student_id: gradebook.find_submission(STEP, student_id).score for student_id in MARKS
        }
    room.close()
    return Run(course, base, imported, logs, totals)


def test_the_class_list_found_those_who_handed_in(run: Run) -> None:
    assert set(run.imported.updated) == {"ada", "ben", "zoe"}
    assert run.imported.added == ()
    assert run.totals == {"ada": 14.0, "ben": 8.0}


@pytest.mark.parametrize("name", ["Canvas", "Brightspace", "Moodle", "Blackboard"])
def test_each_exporter_runs_in_nbgrader(run: Run, name: str) -> None:
    to = run.folder / f"{name}.csv"
    said = run.export(name, "--to", str(to))
    content = to.read_bytes()
    assert str(to) in said
    match name:
        case "Canvas":
            read, header = readers.canvas(content, {}), "Step 1: Goals"
        case "Brightspace":
            read, header = readers.brightspace(content), "Step 1: Goals Points Grade"
        case "Moodle":
            read, header = readers.moodle_gradebook(content, "ID number"), "Step 1: Goals"
        case _:
            read, header = readers.blackboard(content), "Step 1: Goals"
            assert "text columns" in said
    assert sorted(grades[header] or -1 for grades in read.grades.values()) == [-1, 8.0, 14.0]
    if name in ("Brightspace", "Blackboard"):
        assert {who: grades[header] for who, grades in read.grades.items()} == {
            "ada": run.totals["ada"],
            "ben_roe": run.totals["ben"],
            "zoe_l_m": None,
        }
    assert to.with_name(f"{name}-by-criterion.csv").is_file()
    print(f"{name}: {len(content)} bytes")


def test_options_of_the_command_line_are_honoured(run: Run) -> None:
    downloaded = run.folder / "canvas-gradebook.csv"
    people = [samples.Person(one.id, one.first, one.last, one.number, one.login) for one in CLASS]
    downloaded.write_bytes(samples.canvas_gradebook(people, items={"Goals (501)": 20.0}))
    to = run.folder / "chosen.csv"
    run.export(
        "Canvas", "--to", str(to), f"--assignment=['{STEP}']", "--student=['ada']",
        f"--LmsExport.template={downloaded}", "--LmsExport.by_criterion=False",
    )  # fmt: skip
    read = readers.canvas(to.read_bytes(), {501: ("Goals", 20.0)})
    assert list(read.grades.values()) == [{"Goals (501)": 14.0}]
    assert not to.with_name("chosen-by-criterion.csv").exists()


def test_a_refusal_is_a_sentence_and_no_file(run: Run) -> None:
    to = run.folder / "refused.csv"
    said = run.export("Canvas", "--to", str(to), "--student=['nobody']", must_succeed=False)
    assert "The gradebook has no student “nobody”" in said
    assert "Traceback" not in said
    assert not to.exists()
    nowhere = run.folder / "ada" / "workspace" / STEP / f"{STEP}.ipynb" / "x.csv"
    said = run.export("Canvas", "--to", str(nowhere), must_succeed=False)
    assert "The file was not written" in said
    assert "Traceback" not in said
