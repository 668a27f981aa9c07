"""A room in which three handed in, and one whole cycle in nbgrader, from release to feedback."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.workspace import Receipt
from tests.support.nbgrader_course import Course, Student, sample_answers
from tests.support.room import make_room

STEP = "step-1-goals"
DUE = "2027-01-22T23:59:00-05:00"
HOSTILE = '<script>fetch("//elsewhere.test")</script><img src=x onerror=alert(1)>&amp; שלום 🙂'
COMMENT = "Well argued.\n<b>Next time</b> <script>alert(1)</script>, name an alternative."
MODULES = ("json.py", "ipykernel_launcher.py", "ipython_config.py", "pcn_course.py")
RUNS = "from pathlib import Path; Path({mark!r}).write_text('I ran')"


@dataclass
class Cycle:
    """What happened, for the tests to look at."""

    course: Course
    mark: Path
    """The file that appears as soon as any of a student's code runs."""
    students: dict[str, Student] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    graded: dict[str, dict[str, Any]] = field(default_factory=dict)
    marked: dict[str, dict[str, Any]] = field(default_factory=dict)
    again: dict[str, dict[str, Any]] = field(default_factory=dict)
    fetched: tuple[Path, ...] = ()

    def join(self, name: str) -> Student:
        home = self.course.root.with_name(f"student-{name}")
        self.students[name] = Student.join(self.course, home, name)
        return self.students[name]

    def submitted(self, name: str) -> Path:
        return self.course.instructor.room / "submitted" / name / STEP

    def shown(self, name: str) -> str:
        """All HTML that formgrader shows of a student's submission."""
        notebook = self.course.instructor.graded_notebook(name, STEP)
        return "".join(
            "".join(output.get("data", {}).get("text/html", ""))
            for cell in notebook["cells"]
            for output in cell.get("outputs", [])
        )

    def feedback(self, name: str) -> str:
        folder = self.course.instructor.room / "feedback" / name / STEP
        return (folder / f"{STEP}.html").read_text()


@pytest.fixture(scope="session")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    base = tmp_path_factory.mktemp("cycle")
    course = Course.make(base / "course", exchange=base / "exchange", due=f'"{STEP}" = {DUE}')
    cycle = Cycle(course, base / "a student's code ran")
    course.instructor.open(STEP)
    ada_hands_in(cycle)
    ben_hands_in_code(cycle)
    cyd_hands_in_rubbish(cycle)
    eve_reaches_for_the_gradebook(cycle)
    dan_uploads_a_zip(cycle)
    cycle.logs["collect"] = course.instructor.collect(STEP)
    hal_is_put_there_by_hand(cycle)
    cycle.logs["autograde"] = course.instructor.autograde(STEP)
    cycle.graded = grades(cycle)
    ada_gets_marks_and_feedback(cycle)
    ada_hands_in_again(cycle)
    return cycle


def grades(cycle: Cycle) -> dict[str, dict[str, Any]]:
    return {name: cycle.course.instructor.grades(name, STEP) for name in cycle.students}


def ada_hands_in(cycle: Cycle) -> None:
    """A student who fills in everything, and types what a browser would run."""
    ada = cycle.join("ada")
    cycle.logs["list"] = ada.nbgrader("list").stderr
    ada.fetch(STEP)
    # Names that a process started here must not take for modules.
    for name in ("json.py", "nbgrader.py", "traitlets.py"):
        (ada.workspace.root / name).write_text(RUNS.format(mark=str(cycle.mark)))
    step = cycle.course.content.step(STEP)
    ada.answer("goals", {**sample_answers(step), "next-decision": HOSTILE})
    cycle.receipts["ada"] = ada.hand_in("goals")


def ben_hands_in_code(cycle: Cycle) -> None:
    """A student who submits with nbgrader itself: a notebook that writes, and modules beside it."""
    ben = cycle.join("ben")
    ben.workspace.fill(cycle.course.content)
    ben.answer("goals", {"live-project": "One line", "private-note": "Only for me"})
    folder = ben.workspace.root / STEP
    code = RUNS.format(mark=str(cycle.mark))
    notebook = json.loads((folder / f"{STEP}.ipynb").read_text())
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = f"{code}\n4.0"
    extra = {"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "id": "x"}
    notebook["cells"].insert(0, {**extra, "execution_count": None})
    (folder / f"{STEP}.ipynb").write_text(json.dumps(notebook))
    for name in MODULES:
        (folder / name).write_text(code)
    ben.nbgrader("submit", STEP)


def hal_is_put_there_by_hand(cycle: Cycle) -> None:
    """What ben handed in, past everything that collecting does; and as rubbish, too."""
    cycle.join("hal")
    cycle.join("ida")
    ben = cycle.students["ben"].workspace.root / STEP
    shutil.copytree(ben, cycle.submitted("hal"))
    shutil.copytree(ben, cycle.submitted("ida"))
    (cycle.submitted("ida") / f"{STEP}.ipynb").write_text('{"cells": [')


def cyd_hands_in_rubbish(cycle: Cycle) -> None:
    """Nothing in it is what it should be, and nbgrader's secret is missing."""
    cycle.join("cyd")
    folder = inbound(cycle, "cyd+step-1-goals+2026-11-22 10:00:00.000000 UTC+abc")
    (folder / f"{STEP}.ipynb").write_text("{")
    (folder / "answers.json").write_bytes(b'{"format": 1, "fields": \xff')
    (folder / "timestamp.txt").write_text("yesterday")
    for name in (
        "nobody",
        "fay+step-1-goals+later+x",
        "f*y+step-1-goals+2026-11-22 10:00:00 UTC+x",
    ):
        inbound(cycle, name)


def eve_reaches_for_the_gradebook(cycle: Cycle) -> None:
    """Links to what only the instructor may read, to nowhere, and a link as the folder itself."""
    cycle.join("eve")
    room = cycle.course.instructor.room
    folder = inbound(cycle, "eve+step-1-goals+2026-11-22 10:00:00.000000 UTC+abc")
    (folder / "answers.json").symlink_to(room / "gradebook.db")
    (folder / "gone.txt").symlink_to("/nowhere")
    (folder / f"{STEP}.ipynb").symlink_to(room / "nbgrader_config.py")
    inbound_folder = folder.parent
    (inbound_folder / "gus+step-1-goals+2026-11-22 10:00:00.000000 UTC+abc").symlink_to(room)


def dan_uploads_a_zip(cycle: Cycle) -> None:
    """A student without the exchange, whose LMS packs all uploads into one ZIP."""
    dan = cycle.join("dan")
    shutil.rmtree(dan.home / ".jupyter")
    dan.workspace.fill(cycle.course.content)
    step = cycle.course.content.step(STEP)
    dan.answer("goals", {**sample_answers(step), "private-note": "Only for me"})
    made = dan.zip_of("goals")
    cycle.receipts["dan"] = dan.workspace.receipts(step)[-1]
    bulk = cycle.course.root / "submissions.zip"
    with zipfile.ZipFile(bulk, "w") as archive:
        archive.write(made, f"dandoe_LATE_1234_56789_{made.name}")
        archive.writestr("eveother_1235_56790_essay.docx", b"not a hand-in")
        archive.writestr("gusother_1236_56791_step-1-goals+gus+20261122T100000Z.zip", b"broken")
    cycle.logs["zip_collect"] = cycle.course.instructor.collect_zips(STEP, bulk)


def ada_gets_marks_and_feedback(cycle: Cycle) -> None:
    instructor = cycle.course.instructor
    criteria = cycle.course.content.rubric.criteria
    marks = {one.id: (score, COMMENT) for one, score in zip(criteria, (4, 3, 2, 1), strict=True)}
    for name in ("ada", "dan"):
        instructor.mark(name, STEP, marks)
    cycle.marked = grades(cycle)
    cycle.logs["generate_feedback"] = instructor.nbgrader("generate_feedback", STEP).stderr
    cycle.logs["release_feedback"] = instructor.nbgrader("release_feedback", STEP).stderr
    cycle.fetched = cycle.students["ada"].fetch_feedback()


def ada_hands_in_again(cycle: Cycle) -> None:
    ada = cycle.students["ada"]
    ada.answer("goals", {"live-project": "Another project"})
    cycle.receipts["ada again"] = ada.hand_in("goals")
    cycle.course.instructor.collect(STEP)
    cycle.course.instructor.autograde(STEP)
    cycle.again = grades(cycle)


def inbound(cycle: Cycle, name: str) -> Path:
    assert cycle.course.exchange
    folder = cycle.course.exchange / "pcn" / "inbound" / name
    folder.mkdir()
    return folder


# ---- A room, without the cycle ---------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Three students have handed in the first step; nobody has marked."""
    return make_room(tmp_path / "course", ("ada", "ben", "cyd"))


@pytest.fixture
def first(room: Room) -> Marking:
    """One who marks there."""
    return Marking(room, "first")


@pytest.fixture
def second(room: Room) -> Marking:
    """Another, in a process of their own as far as the gradebook can tell."""
    return Marking(open_room(room.root), "second")
