"""nbgrader's commands where another program holds the gradebook."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.nbgrader_course import Course

STEP = "step-1-goals"


@pytest.fixture
def course(tmp_path: Path) -> Course:
    made = Course.make(tmp_path / "course", exchange=tmp_path / "exchange")
    config = made.instructor.room / "nbgrader_config.py"
    url = f"sqlite:///{made.instructor.room}/gradebook.db?timeout=0.2"
    config.write_text(f"{config.read_text()}\nc.CourseDirectory.db_url = {url!r}\n")
    return made


@pytest.mark.parametrize(
    "command",
    [
        ("autograde", STEP),
        ("db", "student", "list"),
        ("export",),
        ("generate_assignment", STEP),
        ("generate_feedback", STEP),
    ],
    ids=lambda command: command[0],
)
def test_a_held_gradebook_is_one_sentence(course: Course, command: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(course.instructor.room / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        done = course.instructor.nbgrader(*command, must_succeed=False)
    assert done.returncode == 1
    assert "The gradebook is in use by another program" in done.stderr
    assert "Traceback" not in done.stderr
    assert "db upgrade" not in done.stderr


def test_what_opens_no_gradebook_goes_on(course: Course) -> None:
    with closing(sqlite3.connect(course.instructor.room / "gradebook.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert course.instructor.nbgrader("list", must_succeed=False).returncode == 0
