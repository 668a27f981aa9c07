"""The instructor's commands: what they write, say and refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pcn_course.cli import main
from pcn_course.grading.gradebook.room import Room
from tests.support.room import make_room

STUDENTS = ["ada", "ben", "eva", "gil", "ida", "uma"]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return make_room(tmp_path / "course", STUDENTS)


def pcn(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    print(result.output)
    return result


def test_help_names_each_command_once_and_for_whom_it_is() -> None:
    said = pcn("--help").output
    assert "As a student:" in said
    assert "As an instructor:" in said
    for name in main.commands:
        assert said.count(f"\n  {name} ") == 1, name


@pytest.mark.parametrize("command", ["check", "notebooks"])
def test_in_a_course_folder_the_content_beside_it_is_meant(
    room: Room, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    content = room.root.parent / "data" / "course.toml"
    content.write_text(
        content.read_text(encoding="utf-8") + "\nthis is no TOML\n", encoding="utf-8"
    )
    monkeypatch.delenv("PCN_COURSE", raising=False)
    monkeypatch.chdir(room.root)
    result = pcn(command)
    assert result.exit_code == 1
    assert "course.toml: is not valid TOML" in result.output


def test_a_roster_comes_into_the_gradebook(room: Room, tmp_path: Path) -> None:
    listed = tmp_path / "class.csv"
    listed.write_text(
        'id,first,last,email,lms_id\nada,Ada,"Doe, PhD",ada@example.org,77\n'
        "cem,Cem,Öz,cem@example.org,78\n",
        encoding="utf-8",
    )
    result = pcn("roster", listed, "--lms", "roster", "--room", room.root)
    assert result.exit_code == 0
    assert "1 added, 1 changed, 0 as they were." in result.output
    names = {one.id: one.name for one in room.students()}
    assert (names["ada"], names["ben"], names["cem"]) == ("Ada Doe, PhD", "Ben Doe", "Cem Öz")
    assert "cem" in (room.root / "roster.csv").read_text(encoding="utf-8")


def test_a_list_that_is_none_changes_nothing(room: Room, tmp_path: Path) -> None:
    listed = tmp_path / "class.csv"
    listed.write_text("colour,shape\nred,round\n", encoding="utf-8")
    result = pcn("roster", listed, "--lms", "canvas", "--room", room.root)
    assert result.exit_code == 1
    assert str(listed) in result.output
    assert "Traceback" not in result.output
    assert [one.id for one in room.students()] == STUDENTS


def test_research_leaves_out_who_did_not_consent(room: Room, tmp_path: Path) -> None:
    refused = pcn("research", tmp_path / "out", "--room", room.root)
    assert refused.exit_code == 1
    assert "consent" in refused.output
    assert not (tmp_path / "out").exists()
    said = [f"{one},yes" for one in STUDENTS if one != "ben"]
    listed = "\n".join(["student,consent", *said, "ben,no", "zoe,yes"])
    (room.root / "consent.csv").write_text(listed)
    result = pcn("research", tmp_path / "out", "--room", room.root)
    assert result.exit_code == 0
    assert "Students in it: 5. Left out without consent: 1." in result.output
    assert "zoe" in result.output
    assert (tmp_path / "out" / "codebook.csv").is_file()


@pytest.mark.parametrize("command", ["grade", "mark", "research"])
def test_a_folder_that_is_no_room_is_named_with_the_remedy(command: str, tmp_path: Path) -> None:
    arguments = [tmp_path / "out"] if command == "research" else ["--no-browser"]
    result = pcn(command, *arguments, "--room", tmp_path)
    assert result.exit_code == 1
    assert f"{tmp_path} is no instructor's folder" in result.output
    assert "--course-folder" in result.output


def test_workspaces_that_are_not_there_are_named(room: Room, tmp_path: Path) -> None:
    result = pcn(
        "grade", "--course-folder", room.root, "--workspaces", tmp_path / "none", "--no-browser"
    )
    assert result.exit_code == 1
    assert "none" in result.output
