"""``pcn late``: what it checks, shows and refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pcn_course.cli import main
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.late.rules import FILE, read_rules
from tests.support.room import HANDED_IN, make_room

STEP = "step-1-goals"
LATE_BY = dt.timedelta(days=1, hours=3)
RULES = "what,student,step,value\ngrace,,all,2 hours\npenalty,,all,1 point per day\n"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """Two students who handed in a day and three hours late, with 3 points each."""
    room = make_room(tmp_path / "course", ["ada", "ben"])
    config = room.root / "nbgrader_config.py"
    config.write_text(f"{config.read_text()}\nc.Lms.timezone = 'America/New_York'\n")
    with room.gradebook() as gradebook:
        gradebook.find_assignment(STEP).duedate = HANDED_IN.replace(tzinfo=None) - LATE_BY
        gradebook.db.commit()
    yield room
    room.close()


def pcn(room: Room, *options: str) -> Result:
    result = CliRunner().invoke(main, ["late", "--room", str(room.root), *options])
    print(result.output)
    return result


def penalties(room: Room) -> dict[str, float]:
    with room.gradebook() as gradebook:
        return {
            one: gradebook.find_submission(STEP, one).late_submission_penalty
            for one in ("ada", "ben")
        }


def test_without_a_table_it_shows_one_to_start_from(room: Room) -> None:
    result = pcn(room)
    assert result.exit_code == 0
    assert f"There is no {room.root / FILE}" in result.output
    path = room.root / FILE
    path.write_text(result.output[result.output.index("what,student") :])
    assert len(read_rules(path, room.course, None).extensions) == 2
    assert penalties(room) == {"ada": 0, "ben": 0}


def test_it_shows_who_is_late_and_what_changes(room: Room) -> None:
    (room.root / FILE).write_text(f"{RULES}extension,ben,all,1 day\n")
    tried = pcn(room, "--dry-run")
    assert "2 submissions late, 2 would change; nothing was changed." in tried.output
    assert penalties(room) == {"ada": 0, "ben": 0}
    done = pcn(room)
    assert done.exit_code == 0
    rows = [line.split("  ") for line in done.output.splitlines()]
    cells = [[cell.strip() for cell in row if cell] for row in rows]
    (due, alone), cells = cells[:2], cells[2:]
    assert due == [f"{STEP} is due January 19, 2027, 2:00 AM EST."]
    assert "has its due date in the gradebook only" in alone[0]
    early, at, came = (
        f"January {when} AM EST" for when in ("19, 2027, 2:00", "20, 2027, 2:00", "20, 2027, 5:00")
    )
    assert cells == [
        ["student", "step", "due", "handed in", "late by", "extension", "penalty"],
        ["ada", STEP, early, came, "1 day 3 h", "-", "0 → 2"],
        ["ben", STEP, at, came, "3 h", "- → 1 day", "0 → 1"],
        ["2 submissions late, 2 changed."],
    ]
    assert penalties(room) == {"ada": 2, "ben": 1}
    assert "2 submissions late, 0 changed." in pcn(room).output


def test_what_grace_forgives_is_said(room: Room) -> None:
    (room.root / FILE).write_text(f"{RULES}grace,,1,2 days\n")
    assert "1 day 3 h (grace)  -          0" in pcn(room).output


def test_a_table_that_is_gone_gives_its_points_back(room: Room) -> None:
    (room.root / FILE).write_text(RULES)
    pcn(room)
    (room.root / FILE).unlink()
    result = pcn(room)
    assert "2 → 0" in result.output
    assert penalties(room) == {"ada": 0, "ben": 0}


def test_all_faults_are_told_and_nothing_is_changed(room: Room) -> None:
    (room.root / FILE).write_text(RULES)
    pcn(room)
    (room.root / FILE).write_text(f"{RULES}cap,,all,5\nextension,,all,3 days\n")
    result = pcn(room)
    assert result.exit_code == 1
    assert f"{room.root / FILE}, line 4, column value: “5” has no unit." in result.stderr
    assert f"{room.root / FILE}, line 5, column student: An extension" in result.stderr
    assert "2 faults found. Nothing was changed." in result.stderr
    assert penalties(room) == {"ada": 2, "ben": 2}


def test_a_student_whom_nobody_knows_is_a_fault(room: Room) -> None:
    (room.root / FILE).write_text(f"{RULES}extension,bne,all,1 day\n")
    for options in (("--dry-run",), ()):
        result = pcn(room, *options)
        assert result.exit_code == 1
        assert f"{room.root / FILE}, line 4: the gradebook doesn't know" in result.output
        assert "1 fault found." in result.stderr
    assert penalties(room) == {"ada": 2, "ben": 2}


def test_a_folder_that_is_no_room_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["late", "--room", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path} is no instructor's folder" in result.output
