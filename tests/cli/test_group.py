"""What all commands share: output in any encoding, a gradebook that another program holds."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pcn_course.admin import gradebook_copy
from pcn_course.cli import main
from pcn_course.grading.gradebook.room import Room
from pcn_course.instructor.agreement import Agreement
from pcn_course.instructor.cohort import Cohort
from pcn_course.instructor.marking import Marking
from tests.support.room import HANDED_IN, make_room

STEP = "step-1-goals"
LATE = "what,student,step,value\nextension,ada,all,3 days\npenalty,,all,1 point per day\n"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    folder = tmp_path / "course"
    url = f"sqlite:///{folder}/assignments/gradebook.db?timeout=0.1"
    made = make_room(folder, ["ada", "ben"], db_url=url)
    with made.gradebook() as gradebook:
        gradebook.find_assignment(STEP).duedate = HANDED_IN.replace(tzinfo=None)
        gradebook.db.commit()
    yield made
    made.close()


def pcn(*arguments: str | Path, charset: str = "utf-8") -> Result:
    result = CliRunner(charset=charset).invoke(main, [str(one) for one in arguments])
    print(result.output)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


# ---- Encodings -----------------------------------------------------------------------------------


@pytest.mark.parametrize("charset", ["cp1252", "latin-1", "ascii"])
def test_a_table_is_printed_in_whatever_encoding_there_is(room: Room, charset: str) -> None:
    (room.root / "late.csv").write_text(LATE)
    done = pcn("late", "--room", room.root, charset=charset)
    assert done.exit_code == 0
    # Click writes UTF-8 where it is told ASCII.
    assert ("3 days" if charset == "ascii" else "- -> 3 days") in done.output
    doctor = pcn("doctor", "--room", room.root, charset=charset)
    assert doctor.exit_code in (0, 1)
    assert "gradebook" in doctor.output


def test_signs_that_an_encoding_has_stay_as_they_are(room: Room) -> None:
    (room.root / "late.csv").write_text(LATE)
    assert "- → 3 days" in pcn("late", "--room", room.root).output


def test_redirected_output_of_a_strict_process_ends_well(room: Room, tmp_path: Path) -> None:
    (room.root / "late.csv").write_text(LATE)
    target = tmp_path / "late.txt"
    with target.open("wb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "pcn_course", "late", "--room", str(room.root)],
            stdout=file, stderr=subprocess.PIPE, check=False,
            env={**os.environ, "PYTHONIOENCODING": "cp1252:strict"},
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"- -> 3 days" in target.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_output_on_a_full_disk_is_one_sentence(room: Room) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pcn_course", "late", "--room", str(room.root)],
            stdout=full, stderr=subprocess.PIPE, check=False, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "Error: The output can't be written (No space left on device). `pcn audit` lists what was "
        "changed.\n"
    )


# ---- A gradebook that another program holds ------------------------------------------------------


@contextmanager
def held(room: Room, how: str = "EXCLUSIVE") -> Iterator[None]:
    """Another program that writes to the gradebook and doesn't end."""
    room.close()
    with closing(sqlite3.connect(room.root / "gradebook.db", isolation_level=None)) as other:
        other.execute(f"BEGIN {how}")
        yield
        other.execute("ROLLBACK")


def is_the_one_sentence(text: str) -> bool:
    said = re.compile(
        r"(Error: )?The gradebook is in use by another program\. Close that program or wait until "
        r"it is done, then try again\.\n?"
    )
    return said.fullmatch(text) is not None


READING = (
    ("feedback", STEP), ("feedback", STEP, "--requests"), ("feedback", STEP, "--release"),
    ("late",), ("agreement",), ("purge", "--student", "ada"), ("upgrade",),
)  # fmt: skip


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_held_gradebook_is_said_and_nothing_else(room: Room, command: tuple[str, ...]) -> None:
    (room.root / "late.csv").write_text(LATE)
    with held(room):
        done = pcn(*command, "--room", room.root)
    assert done.exit_code == 1
    assert is_the_one_sentence(done.output), done.output


@pytest.mark.parametrize(
    "command", [("late",), ("feedback", STEP, "--hold"), ("feedback", STEP, "--requests")],
    ids=" ".join,
)  # fmt: skip
def test_a_gradebook_that_can_only_be_read_is_said_too(
    room: Room, command: tuple[str, ...]
) -> None:
    (room.root / "late.csv").write_text(LATE)
    with held(room, "IMMEDIATE"):
        done = pcn(*command, "--room", room.root)
    assert done.exit_code == 1
    assert is_the_one_sentence(done.output), done.output


def test_commands_that_write_files_say_it(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook_copy, "BUSY_SECONDS", 0.1)
    people = tmp_path / "people.csv"
    people.write_text("id,first,last\nada,Ada,Doe\n")
    (room.root / "consent.csv").write_text("student,consent\nada,yes\n")
    with held(room):
        for command in (
            ("roster", people, "--lms", "roster"), ("research", tmp_path / "out"),
            ("backup", tmp_path / "copy"),
        ):  # fmt: skip
            done = pcn(*command, "--room", room.root)
            assert done.exit_code == 1
            assert is_the_one_sentence(done.output), (command, done.output)


def test_the_doctor_says_it_once(room: Room) -> None:
    (room.root / "roster.csv").write_text("id,first,last\nada,Ada,Doe\n")
    with held(room):
        said = pcn("doctor", "--room", room.root).output
    assert said.count("in use by another program") == 1
    assert "sqlite" not in said
    assert "in the roster only" not in said


@pytest.mark.parametrize("page", [Marking, Agreement, Cohort])
def test_a_page_says_it(room: Room, page: type, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, object]] = []
    with held(room):
        widget = page(room)
        monkeypatch.setattr(widget, "send", heard.append)
        opening = {"type": "open", "client": "one"}
        widget._receive(widget, opening if page is Cohort else {**opening, "seq": 1}, [])
        if page is Agreement:
            heard.clear()
            message = {"type": "read", "client": "one", "seq": 2, "scope": None}
            widget._receive(widget, message, [])
    assert [one["type"] for one in heard] == ["problem"]
    assert is_the_one_sentence(str(heard[0]["message"]))
