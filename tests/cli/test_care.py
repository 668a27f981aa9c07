"""The commands for looking after a course: what they write, say and refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pcn_course.cli import main
from pcn_course.grading.gradebook.room import Room
from tests.support.room import make_room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", ["ada", "ben"])


def pcn(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    print(result.output)
    assert "Traceback" not in result.output
    return result


def test_a_purge_says_first_what_would_go(room: Room) -> None:
    asked = pcn("purge", "--student", "ada", "--room", room.root)
    assert asked.exit_code == 0
    assert "nothing was removed yet" in asked.output
    assert "--yes" in asked.output
    assert [one.id for one in room.students()] == ["ada", "ben"]

    done = pcn("purge", "--student", "ada", "--reference", "T-17", "--yes", "--room", room.root)
    assert done.exit_code == 0
    assert "Receipt:" in done.output
    assert [one.id for one in room.students()] == ["ben"]


def test_a_purge_sums_up_many_places(room: Room) -> None:
    feedback = room.root / "feedback"
    for number in range(12):
        (feedback / f"s{number}").mkdir(parents=True)
        (feedback / f"s{number}" / "letter.html").touch()
    asked = pcn("purge", "--term", "--room", room.root).output
    assert f"feedback: 12 files in 12 places in {feedback} (--list names them)" in asked
    assert "s11" not in asked
    assert (
        f"feedback: 1 files, {feedback / 's11'}\n"
        in pcn("purge", "--term", "--list", "--room", room.root).output
    )


@pytest.mark.parametrize("whom", [(), ("--student", "ada", "--term")])
def test_a_purge_asks_whom(room: Room, whom: tuple[str, ...]) -> None:
    asked = pcn("purge", *whom, "--yes", "--room", room.root)
    assert asked.exit_code == 2
    assert "--student ID, or --term" in asked.output
    assert [one.id for one in room.students()] == ["ada", "ben"]


def test_a_backup_is_laid_down_elsewhere(room: Room, tmp_path: Path) -> None:
    kept = tmp_path / "kept.tar.gz"
    made = pcn("backup", kept, "--room", room.root)
    assert made.exit_code == 0
    assert "Written and verified" in made.output

    verified = pcn("restore", kept, "--verify")
    assert verified.exit_code == 0
    # What is counted is called the same by both.
    files = verified.output.split(",")[0]
    assert files.endswith(" files")
    assert f" {files}," in made.output
    assert pcn("restore", kept).exit_code == 2
    done = pcn("restore", kept, tmp_path / "new")
    assert done.exit_code == 0
    for file in (room.root / "submitted").rglob("answers.json"):
        again = tmp_path / "new" / "course" / file.relative_to(room.root.parent)
        assert again.read_bytes() == file.read_bytes()

    refused = pcn("restore", kept, tmp_path / "new")
    assert refused.exit_code == 1
    assert str(tmp_path / "new") in refused.output


def test_a_backup_that_changed_is_told(room: Room, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert pcn("backup", kept, "--room", room.root).exit_code == 0
    changed = next(kept.rglob("roster.csv"), None) or next(kept.rglob("answers.json"))
    changed.write_bytes(changed.read_bytes() + b" ")
    verified = pcn("restore", kept, "--verify")
    assert verified.exit_code == 1
    assert changed.name in verified.output
    assert pcn("restore", tmp_path / "none", tmp_path / "new").exit_code == 1


def test_a_doctor_finds_what_is_wrong(room: Room, tmp_path: Path) -> None:
    (tmp_path / "exchange").mkdir()
    seen = pcn("doctor", "--room", room.root, "--exchange", tmp_path / "exchange", "--json")
    found = json.loads(seen.output)
    assert {"check", "state", "says", "todo"} <= set(found[0])
    assert any(one["state"] == "good" for one in found)

    none = pcn("doctor", "--room", tmp_path / "nowhere")
    assert none.exit_code == 1
    assert "nowhere" in none.output
    assert "→" in none.output


def test_an_upgrade_may_be_repeated(room: Room) -> None:
    assert "up to date" in pcn("upgrade", "--room", room.root).output


def test_a_name_in_an_error_moves_no_cursor(tmp_path: Path) -> None:
    done = pcn("restore", tmp_path / "no\x1b[2J backup\u202e", "--verify")
    assert done.exit_code == 1
    assert r"no\x1b[2J backup\u202e is no whole backup" in done.output
