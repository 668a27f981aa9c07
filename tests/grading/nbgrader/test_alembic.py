"""What nbgrader starts by name is found without activating an environment."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sysconfig
from contextlib import closing
from pathlib import Path

import pytest

from pcn_course.grading.nbgrader.gradebook import put_on_path
from tests.support.nbgrader_course import Course

SCRIPTS = Path(sysconfig.get_path("scripts"))


def test_this_environments_own_program_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "alembic"
    other.write_text("#!/bin/sh\nexit 9\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    put_on_path()
    put_on_path()
    assert os.environ["PATH"] == os.pathsep.join((str(SCRIPTS), str(tmp_path)))
    assert shutil.which("alembic") == str(SCRIPTS / "alembic")


@pytest.mark.parametrize("program", ["pcn", "nbgrader"])
def test_a_gradebook_is_made_without_an_activated_environment(tmp_path: Path, program: str) -> None:
    room = Course.make(tmp_path / "course").root / "assignments"
    (room / "gradebook.db").unlink()
    listed = tmp_path / "class.csv"
    listed.write_text("id,first,last\nada,Ada,Doe\n")
    words = {
        "pcn": ["roster", str(listed), "--lms", "roster"],
        "nbgrader": ["db", "student", "add", "ada"],
    }[program]
    done = subprocess.run(
        [str(SCRIPTS / program), *words],
        cwd=room, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    with closing(sqlite3.connect(room / "gradebook.db")) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall()
        assert connection.execute("SELECT id FROM student").fetchall() == [("ada",)]
