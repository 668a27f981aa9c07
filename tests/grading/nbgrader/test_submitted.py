"""What lies in ``submitted/``, however it came there: what is graded, what is shown, and when."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.converters import Autograde, BaseConverter, GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from pcn_course.grading.gradebook.marks import Marking
from pcn_course.grading.gradebook.room import Room
from tests.support.room import hand_in, make_room

STEP = "step-1-goals"
WHEN = "2026-11-20 10:00:00.000000 UTC"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A room with ada's and ben's first answers in it, graded."""
    room = make_room(tmp_path / "course", [], [])
    run(GenerateAssignment, room)
    for student in ("ada", "ben"):
        lay(room, student, "First")
    autograde(room)
    yield room
    room.close()


def lay(room: Room, student: str, project: str, when: str = WHEN) -> Path:
    folder = hand_in(room, student, STEP, {"live-project": project})
    (folder / "timestamp.txt").write_text(when)
    shutil.copy(room.released / STEP / f"{STEP}.ipynb", folder)
    return folder


def run(command: type[BaseConverter], room: Room, **options: Any) -> None:
    """One of nbgrader's commands, in this process."""
    folder = CourseDirectory(config=room.config, assignment_id=STEP, **options)
    command(coursedir=folder, config=room.config).start()


def autograde(room: Room, **options: Any) -> None:
    run(Autograde, room, **options)


def graded(room: Room, student: str) -> str:
    return (room.autograded / student / STEP / f"{STEP}.ipynb").read_text()


def times(room: Room) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in room.autograded.rglob("*.ipynb")}


def test_other_answers_are_graded_though_their_time_is_no_newer(room: Room) -> None:
    criterion = room.course.rubric.criteria[0].id
    marking = Marking(room, "kim")
    for when in (WHEN, "2026-11-19 10:00:00.000000 UTC", ""):
        before = times(room)
        autograde(room)
        assert times(room) == before, "nothing is new"
        seen = marking.submission("ada", STEP).marks[criterion].points
        marking.give("ada", STEP, criterion, 3, seen=seen)
        lay(room, "ada", f"In place of it, {when}", when)
        autograde(room, student_id_exclude="ada")
        assert times(room) == before, "whom the instructor leaves out stays out"
        autograde(room)
        assert f"In place of it, {when}" in graded(room, "ada")
        mark = marking.submission("ada", STEP).marks[criterion]
        assert (mark.points, mark.open) == (3, True)
        after = times(room)
        assert {path.parts[-3] for path in after if after[path] != before[path]} == {"ada"}


def test_what_can_not_be_read_any_more_keeps_what_was_graded(room: Room) -> None:
    before = times(room)
    path = room.submission("ada", STEP) / "answers.json"
    path.unlink()
    path.symlink_to(room.root / "nbgrader_config.py")
    autograde(room)
    assert times(room) == before


def test_a_time_that_is_none_is_told_and_stops_nobody(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    for number, wrong in enumerate(("the 32nd", "9" * 30, "\0", "")):
        lay(room, f"b{number}", "Beside a wrong time", wrong)
    (lay(room, "b4", "Beside a wrong time") / "timestamp.txt").write_bytes(b"\xff\xfe")
    lay(room, "zoe", "The last")
    with caplog.at_level("WARNING"):
        autograde(room)
    assert "The last" in graded(room, "zoe")
    for number in range(5):
        assert "Beside a wrong time" in graded(room, f"b{number}")
        assert f"b{number}/{STEP}/timestamp.txt" in caplog.text
    assert f"ada/{STEP}/timestamp.txt" not in caplog.text


def test_what_was_laid_as_a_link_is_not_shown(room: Room, tmp_path: Path) -> None:
    assert room.answers("ada", STEP).fields["live-project"].value == "First"
    path = room.submission("ben", STEP) / "answers.json"
    secret = path.rename(tmp_path / "secret.json")
    for lead in (path.symlink_to, path.hardlink_to):
        lead(secret)
        shown = room.answers("ben", STEP)
        assert (shown.fields, len(shown.problems)) == ({}, 1)
        path.unlink()
    assert room.answers("ben", STEP).problems == ()
    folder = room.submission("cyd", STEP)
    folder.parent.mkdir()
    folder.symlink_to(room.submission("ada", STEP))
    assert room.answers("cyd", STEP).fields == {}
