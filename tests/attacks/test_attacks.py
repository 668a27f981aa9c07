"""Attacks, one file each in ``cases/``, on one run of the real nbgrader over real submissions.

Each is handed in through the exchange and laid into ``submitted/`` by hand, or comes in a ZIP as an
LMS gives it. None runs, raises a score, reads or writes outside its submission, or stops the run.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pcn_course.answers.store import Field
from pcn_course.answers.structure import check
from pcn_course.grading.cohort import read_class
from pcn_course.grading.gradebook.room import open_room
from pcn_course.grading.gradebook.schema import notes
from tests.attacks.scene import ACTING, BASE, CASES, NOTEBOOK, PRIVATE, STEP, Scene, load
from tests.support.nbgrader_course import Course, Student

pytestmark = pytest.mark.timeout(1800)

WHEN = "2027-01-20 10:00:00.000000 UTC"
CANARY = "only-for-the-instructors-eyes"
NOBODYS = ('x";alert(1);"', "x" * 129, "a b", "<i>")
"""Ids that would run in a page, or that a gradebook on PostgreSQL has no room for."""
LATER = "later"
"""An honest student, by the order of names among and after the attackers."""


@dataclass
class Run:
    """What came of it."""

    course: Course
    mark: Path
    secret: Path
    attackers: dict[str, str] = field(default_factory=dict)
    """Attackers with the names of their attacks."""
    logs: str = ""
    graded: dict[str, dict[str, Any]] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)

    def due(self, attacker: str) -> float:
        """The most points for structure that an attacker may have."""
        if getattr(load(self.attackers[attacker]), "ANSWERS_ALL", False):
            return self.course.content.rubric.structure
        return honest_points(self.course)


def honest_points(course: Course) -> float:
    fields = {key: Field(value, 1) for key, value in BASE.items()}
    return check(course.content.step(STEP), fields).points


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    base = tmp_path_factory.mktemp("attacks")
    course = Course.make(base / "course", exchange=base / "exchange")
    room = course.instructor.room
    run = Run(course, base / "a student's code ran", base / "instructors" / "secret.json")
    run.secret.parent.mkdir()
    run.secret.write_text(json.dumps({"format": 1, "fields": {}, "canary": CANARY}))
    course.instructor.open(STEP)
    hand_in_honestly(run, "honest")
    hand_in_honestly(run, f"zz-{LATER}")
    archive = room / "downloaded" / STEP / "archive"
    archive.mkdir(parents=True)
    listed = ["id,first,last,email,lms_id"]
    for number, name in enumerate(CASES):
        attack = load(name)
        dashed = name.replace("_", "-")
        if hasattr(attack, "lay"):
            for student, folder in (
                (f"x-{dashed}", inbound(course, f"x-{dashed}")),
                (f"h-{dashed}", room / "submitted" / f"h-{dashed}" / STEP),
            ):
                run.attackers[student] = name
                attack.lay(laid(run, student, folder))
        else:
            student = f"z-{dashed}"
            run.attackers[student] = name
            scene = Scene(student, "honest", base / "nowhere", run.mark, run.secret)
            listed.append(f"{student},Zoe {number},Doe,,{1000 + number}")
            outside = f"doezoe{number}_{1000 + number}_{5000 + number}_{STEP}.zip"
            with zipfile.ZipFile(archive / f"submissions-{number}.zip", "w") as bulk:
                bulk.writestr(outside, attack.pack(scene))
    (room / "roster.csv").write_text(
        "\n".join([*listed, "honest,Hon,Est,,1", "robbed,Rob,Bed,,2", ""])
    )
    hand_in_as_another(archive)
    lay_what_is_no_submission(course)
    run.before = fingerprints(base)
    instructor = course.instructor
    run.logs += instructor.nbgrader("collect", STEP).stderr
    run.logs += instructor.nbgrader("zip_collect", STEP, "--force").stderr
    run.logs += instructor.nbgrader("autograde", STEP).stderr
    run.logs += instructor.nbgrader("generate_feedback", STEP).stderr
    run.after = fingerprints(base)
    for student in (*run.attackers, "honest", f"zz-{LATER}"):
        run.graded[student] = grades(course, student)
    return run


def hand_in_honestly(run: Run, name: str) -> None:
    student = Student.join(run.course, run.course.root.with_name(name), name)
    student.fetch(STEP)
    student.answer("goals", BASE)
    student.hand_in("goals")


def hand_in_as_another(archive: Path) -> None:
    """Two whose names the LMS hides, and who say that they are the same one; and one from 2099."""
    packed = Scene("", "", archive, archive, archive).packed()
    for uploader, student, when in (
        ("anon_Ab1_1", "robbed", "20260120T100000Z"),
        ("anon_Cd2_2", "robbed", "20260120T110000Z"),
        ("anon_Cd2_3", "honest", "20991231T000000Z"),
    ):
        (archive / f"{uploader}_{STEP}+{student}+{when}.zip").write_bytes(packed)


def lay_what_is_no_submission(course: Course) -> None:
    """In the exchange: a link whose end can't be looked for, and folders of nobody."""
    inbound(course, "mallory").symlink_to("x" * 300)
    acting = inbound(course, "a b").with_name(f"a b+{STEP}+{WHEN}+{ACTING}")
    acting.mkdir()
    (acting / "answers.json").write_text("{")
    for name in NOBODYS:
        folder = inbound(course, name).with_name(f"{name}+{STEP}+{WHEN}+r")
        folder.mkdir()
        (folder / "answers.json").write_text("{}")


def inbound(course: Course, student: str) -> Path:
    assert course.exchange
    return course.exchange / "pcn" / "inbound" / f"{student}+{STEP}+{WHEN}+{'a' * 64}"


def laid(run: Run, student: str, folder: Path) -> Scene:
    """A submission as it should be, for an attack to spoil."""
    scene = Scene(student, "honest", folder, run.mark, run.secret)
    folder.mkdir(parents=True)
    shutil.copy(run.course.instructor.room / "release" / STEP / NOTEBOOK, folder)
    scene.write_answers(scene.document())
    scene.add("timestamp.txt", WHEN)
    return scene


def grades(course: Course, student: str) -> dict[str, Any]:
    """A student's grades; empty where there is no submission in the gradebook."""
    from nbgrader.api import MissingEntry

    try:
        return course.instructor.grades(student, STEP)
    except MissingEntry:
        return {}


def files(folder: Path) -> Iterator[Path]:
    """All plain files below a folder, links not followed."""
    for path, _, names in os.walk(folder):
        yield from (
            one for name in names if not (one := Path(path, name)).is_symlink() and one.is_file()
        )


def fingerprints(base: Path) -> dict[str, str]:
    """Every file but what nbgrader is to write."""
    written = {"submitted", "autograded", "feedback", "downloaded", "gradebook.db", "cache"}
    return {
        str(path.relative_to(base)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files(base)
        if not written & set(path.relative_to(base).parts) and not path.name.startswith(".nfs")
    }


def test_there_are_enough_of_them() -> None:
    print(f"{len(CASES)} attacks")
    assert len(CASES) >= 25


def test_honest_students_are_graded_all_the_same(run: Run) -> None:
    points = honest_points(run.course)
    assert 0 < points < run.course.content.rubric.structure
    for student in ("honest", f"zz-{LATER}"):
        assert run.graded[student]["structure"]["score"] == points
        shown = run.course.instructor.graded_notebook(student, STEP)
        assert BASE["live-project"] in json.dumps(shown)
    print(f"{len(run.attackers)} submissions of {len(CASES)} attacks: nobody else was touched")


def test_no_student_code_ran(run: Run) -> None:
    assert not run.mark.exists()
    assert not list(run.course.root.parent.rglob("ran"))


@pytest.mark.parametrize("name", CASES)
def test_no_score_is_raised(run: Run, name: str) -> None:
    of_this = [one for one, attack in run.attackers.items() if attack == name]
    assert of_this
    for student in of_this:
        graded = run.graded[student]
        print(student, graded.get("structure"))
        for cell, grade in graded.items():
            if cell == "structure":
                assert grade["manual"] is None
                assert (grade["auto"] or 0.0) <= run.due(student)
            else:
                assert (grade["auto"], grade["manual"], grade["score"]) == (None, None, 0)
                assert grade["open"]
        assert set(graded) <= set(run.graded["honest"])


@pytest.mark.parametrize("name", CASES)
def test_nothing_is_read_that_is_not_theirs(run: Run, name: str) -> None:
    room = run.course.instructor.room
    for student in (one for one, attack in run.attackers.items() if attack == name):
        for folder in ("autograded", "feedback"):
            for path in files(room / folder / student):
                assert CANARY.encode() not in path.read_bytes()
        if not student.startswith("h-"):  # what was laid there by hand was never taken in
            taken = {path.name for path in files(room / "submitted" / student)}
            assert taken <= {"answers.json", "timestamp.txt", NOTEBOOK, "submission_secret.txt"}
            for path in files(room / "submitted" / student):
                assert CANARY.encode() not in path.read_bytes()


def test_nothing_is_written_elsewhere(run: Run) -> None:
    changed = {one for one in run.before | run.after if run.before.get(one) != run.after.get(one)}
    # Jupyter and IPython leave these in the instructor's home, whatever is graded; and a line in
    # the audit log for each mark is ours.
    assert changed <= {
        "course-instructor/.jupyter/migrated",
        "course-instructor/.ipython/profile_default/startup/README",
        *(f"course/assignments/.pcn/audit.{kind}" for kind in ("jsonl", "lock")),
        f"course/assignments/.pcn/lms/{STEP}.json",  # what the LMS called the collected uploads
    }
    submitted = run.course.instructor.room / "submitted"
    assert BASE["live-project"] in (submitted / "honest" / STEP / "answers.json").read_text()
    known = {*run.attackers, "honest", f"zz-{LATER}"}
    assert {path.name for path in submitted.iterdir()} <= known
    assert not (Path("/tmp") / "evil.py").exists()  # noqa: S108 (where an attack would have it)


def test_what_students_typed_runs_in_no_page(run: Run) -> None:
    room = run.course.instructor.room
    for student in ("x-script-in-fields", "h-script-in-fields"):
        shown = run.course.instructor.graded_notebook(student, STEP)
        page = "".join(
            "".join(output.get("data", {}).get("text/html", ""))
            for cell in shown["cells"]
            for output in cell.get("outputs", [])
        )
        page += (room / "feedback" / student / STEP / f"{STEP}.html").read_text()
        assert "<script>window" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;window" in page


def test_nobody_hands_in_for_another_or_earlier_than_they_did(run: Run) -> None:
    with run.course.instructor.gradebook() as gradebook:
        for student in ("x-earlier-time", "x-anothers-id", "honest"):
            assert gradebook.find_submission(STEP, student).timestamp.year >= 2026
    for name in ("honest", "x-anothers-id"):
        text = (run.course.instructor.room / "submitted" / name / STEP / "answers.json").read_text()
        assert "not the victim's" not in text


def test_what_is_nobodys_stops_nobody(run: Run) -> None:
    submitted = run.course.instructor.room / "submitted"
    for name in (*NOBODYS, "mallory"):
        assert f"Left out, as it is no submission: '{inbound(run.course, name).parent}" in run.logs
        assert f"/inbound/{name}+{STEP}" in run.logs
        assert not (submitted / name).exists()
    assert run.graded["h-no-time"]["structure"]["auto"] == honest_points(run.course)


def test_whose_name_the_lms_hides_takes_no_others_place(run: Run) -> None:
    submitted = run.course.instructor.room / "submitted"
    assert not (submitted / "robbed").exists()
    assert run.logs.count("2 uploaders say that they are robbed (anon_Ab1, anon_Cd2)") == 2
    assert "it says that it was made at 2099-12-31 00:00 UTC" in run.logs
    assert "2099" not in (submitted / "honest" / STEP / "timestamp.txt").read_text()
    with open_room(run.course.instructor.room).engine.connect() as connection:
        said = [row.text for row in connection.execute(select(notes)) if row.student == "robbed"]
    assert len(said) == 2


def test_no_name_acts_on_a_terminal_or_forges_a_line(run: Run) -> None:
    assert "forged: 40 taken in" in run.logs
    assert not set("\x1b\x07\r\u202e\u2066") & set(run.logs)
    begun = [line for line in run.logs.splitlines() if line.startswith("[")]
    assert begun
    assert not [line for line in begun if "] forged" in line[:40]]


def test_what_is_private_is_shown_to_nobody(run: Run) -> None:
    room = run.course.instructor.room
    for student in ("x-private-answers", "h-private-answers"):
        for folder in ("autograded", "feedback"):
            pages = [path for path in files(room / folder / student) if path.suffix != ".json"]
            assert pages
            assert not [path for path in pages if PRIVATE.encode() in path.read_bytes()]
        assert PRIVATE not in str(read_class(open_room(room)).told[student, STEP])


def test_a_zip_that_costs_too_much_is_left_out_by_name(run: Run) -> None:
    for why in (
        "it is packed with bzip2",
        "its files overlap",
        "it unpacks to more than one person may use",
    ):
        assert why in run.logs


def test_what_cannot_be_used_is_noted(run: Run) -> None:
    with open_room(run.course.instructor.room).engine.connect() as connection:
        said = {row.student for row in connection.execute(select(notes))}
    for student in (
        "x-linked-answers", "x-hard-links", "x-waiting-pipe", "x-folder-for-file", "x-device-files",
        "x-huge-answers", "z-zip-anothers",
    ):  # fmt: skip
        assert student in said or student in run.logs
    print(f"noted on {len(said)} submissions: {', '.join(sorted(said))}")
