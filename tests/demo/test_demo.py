"""``pcn demo``, run as somebody runs it: the real nbgrader, real servers, and nothing left over."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

from pcn_course.answers.store import Field
from pcn_course.answers.structure import check
from pcn_course.cli import main
from pcn_course.course import load_course
from pcn_course.demo import Pupil, generate
from pcn_course.demo.classroom import SYNTHETIC, make_classroom
from pcn_course.demo.serving import Formgrader
from pcn_course.grading.cohort.reading import read_class
from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.gradebook.scores import Submission, read_marks
from pcn_course.grading.gradebook.second_marks import marked_twice
from pcn_course.grading.lms.roster import read_roster
from pcn_course.workspace import Workspace
from tests.support.servers import free_port, until

CHECKOUT = Path(__file__).parents[2]
STEPS = [step.id for step in load_course().steps]
DEMO = (sys.executable, "-m", "pcn_course", "demo", "--size", "6")


def pcn(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["demo", *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "class"
    made = subprocess.run(
        [*DEMO, "--no-serve", "--folder", folder],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    print(made.stdout, made.stderr)
    assert made.returncode == 0
    assert "nobody in it is real" in made.stdout
    assert str(folder) in made.stdout.splitlines()[-1]
    return folder


@pytest.fixture(scope="module")
def room(folder: Path) -> Room:
    return open_room(folder / "assignments")


@pytest.fixture(scope="module")
def pupils() -> dict[str, Pupil]:
    return {pupil.kind: pupil for pupil in generate(load_course(), 6, 1)}


def read(address: str) -> tuple[str, str]:
    """Where an address led to, and what stands there, to somebody whose browser keeps cookies."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(address, timeout=60) as answer:
        return answer.url, answer.read().decode()


def submission(room: Room, pupil: Pupil, step: str) -> Submission:
    return Marking(room, "a test").submission(pupil.id, step)


def test_what_was_handed_in_came_through_the_exchange(
    folder: Path, room: Room, pupils: dict[str, Pupil]
) -> None:
    for pupil in pupils.values():
        for step in STEPS:
            arrived = list((folder / "exchange").glob(f"*/inbound/{pupil.id}+{step}+*"))
            there = step in pupil.handed_in
            assert len(arrived) == there
            assert room.submission(pupil.id, step).is_dir() == there


def test_the_gradebook_has_everybody_with_a_name_and_the_roster_says_that_they_are_made_up(
    room: Room, pupils: dict[str, Pupil]
) -> None:
    names = {one.id: (one.first, one.last, one.email) for one in room.students()}
    assert names == {one.id: (one.first, one.last, one.email) for one in pupils.values()}
    roster = read_roster(room.root / "roster.csv")
    assert {one.section for one in roster.entries} == {SYNTHETIC}
    assert "made-up" in room.course.title


def test_each_structure_score_is_what_the_answers_earn(
    room: Room, pupils: dict[str, Pupil]
) -> None:
    scores = {
        (row.student, row.step): row.points
        for row in read_marks(room)
        if row.criterion == "structure"
    }
    earned = {}
    for pupil in pupils.values():
        for step in pupil.handed_in:
            fields = {key: Field(value, 1) for key, value in pupil.answers[step].items()}
            earned[pupil.id, step] = check(room.course.step(step), fields).points
    assert scores == earned
    full = room.course.rubric.structure
    assert {scores[pupils["blank"].id, step] for step in STEPS} == {0.0}
    assert {scores[pupils["covered"].id, step] for step in STEPS} == {full}


def test_the_late_one_is_late_and_nobody_else(room: Room, pupils: dict[str, Pupil]) -> None:
    late = {
        (pupil.kind, step)
        for pupil in pupils.values()
        for step in pupil.handed_in
        if submission(room, pupil, step).seconds_late
    }
    assert late == {("late", STEPS[1]), ("late", STEPS[3])}
    assert submission(room, pupils["late"], STEPS[1]).seconds_late == 27 * 3600


def test_no_answer_of_the_hostile_one_became_a_cell_or_a_tag(
    room: Room, pupils: dict[str, Pupil]
) -> None:
    pupil = pupils["hostile"]
    for step in STEPS:
        graded = (room.autograded / pupil.id / step / f"{step}.ipynb").read_text(encoding="utf-8")
        assert "a script ran" in graded
        assert "<script>" not in graded
        assert "<img" not in graded
        assert submission(room, pupil, step).notes == ()


def test_a_part_is_marked_some_of_it_twice_and_something_is_left_to_do(room: Room) -> None:
    rows = [row for row in read_marks(room) if row.criterion != "structure"]
    marked = {
        step: sum(row.points is not None for row in rows if row.step == step) for step in STEPS
    }
    print(marked)
    assert marked[STEPS[0]] == sum(row.step == STEPS[0] for row in rows) > 0
    assert 0 < marked[STEPS[2]] < sum(row.step == STEPS[2] for row in rows)
    assert marked[STEPS[4]] == 0
    marking = Marking(room, "a test")
    twice = marked_twice(marking)
    assert {one.step for one in twice} == {STEPS[0], STEPS[1]}
    assert any(one.waits for one in twice)
    assert sum(one.settled is not None for one in twice) == 1
    assert any(mark.comment for one in marking.listed(STEPS[0]) for mark in one.marks.values())


def test_workspaces_show_who_has_only_started(
    folder: Path, room: Room, pupils: dict[str, Pupil]
) -> None:
    seen = read_class(room, folder / "workspaces", at=dt.datetime.now(dt.UTC))
    assert seen.workspaces is not None
    started = pupils["started"]
    for step in started.begun:
        assert (started.id, step) in seen.workspaces
        assert (started.id, step) not in seen.told
    workspace = Workspace(folder / "workspaces" / started.id)
    states = [workspace.step(room.course.step(step)).state for step in STEPS]
    print(states)
    assert states[: len(started.handed_in)] == ["submitted"] * len(started.handed_in)
    assert "submitted" not in states[len(started.handed_in) :]


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    result = pcn("--no-serve", "--folder", tmp_path)
    assert result.exit_code == 1
    assert "not empty" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_without_a_folder_there_would_be_nothing_to_keep() -> None:
    result = pcn("--no-serve")
    assert result.exit_code == 2
    assert "--folder" in result.output


@contextmanager
def running(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """``pcn demo`` with its temporary folder in ``folder``, in a group of its own."""
    environment = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(
        [*DEMO, "--no-browser", *options],
        cwd=CHECKOUT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def gone(process: psutil.Process) -> bool:
    """Whether it has ended, be it that nobody has asked how."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_opens_all_three_and_ctrl_c_leaves_neither_process_nor_folder(tmp_path: Path) -> None:
    printed = ""
    addresses: list[str] = []
    with running(tmp_path, "--port", free_port()) as process:
        assert process.stdout
        while len(addresses) < 3:
            line = process.stdout.readline()
            assert line, f"it ended:\n{printed}"
            printed += line
            addresses += re.findall(r"http://127\.0\.0\.1:\d+/\S+", line)
        formgrader, cohort, marking = addresses
        assert read(formgrader)[0].endswith("/formgrader/manage_assignments")
        seen = json.loads(read(formgrader.replace("?", "/api/assignments?"))[1])
        assert {one["name"]: one["num_submissions"] for one in seen}[STEPS[0]] == 6
        assert "The class as a whole" in read(cohort)[1]
        assert read(marking)[0].endswith("/marking.ipynb")
        # Without its key, formgrader asks for it.
        assert "/login" in read(formgrader.partition("?")[0])[0]
        started = psutil.Process(process.pid).children(recursive=True)
        assert any("pcn_course.demo.formgrader" in one.cmdline() for one in started)
        (place,) = tmp_path.glob("pcn-demo-*")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        printed += process.communicate(timeout=60)[0]
    print(printed)
    assert process.returncode == 0
    assert "temporary folder was removed" in printed
    assert not place.exists()
    until(lambda: all(gone(one) for one in started))


def test_a_signal_while_it_is_made_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert process.stdout
        while "Releasing" not in process.stdout.readline():
            assert process.poll() is None
        (place,) = tmp_path.glob("pcn-demo-*")
        children = psutil.Process(process.pid).children(recursive=True)
        assert any("pcn_course.demo.commands" in one.cmdline() for one in children)
        process.terminate()
        left = process.communicate(timeout=60)[0]
    print(left)
    assert process.returncode == 128 + signal.SIGTERM
    assert not place.exists()
    assert "Traceback" not in left
    until(lambda: all(gone(one) for one in children))


def test_formgrader_ends_when_whoever_started_it_was_killed(
    tmp_path: Path, pupils: dict[str, Pupil]
) -> None:
    classroom = make_classroom(tmp_path / "class", load_course(), pupils.values())
    with Formgrader(classroom) as formgrader:
        formgrader.wait()
        assert formgrader.process.stdin
        # All that a process which is gone leaves of this pipe is its end.
        formgrader.process.stdin.close()
        assert until(lambda: formgrader.process.poll() is not None, within=60)
