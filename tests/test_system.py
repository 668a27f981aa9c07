"""What only Unix has: each module of the package imports without it, and instructors can grade.

Windows is simulated here, not run: `tests.support.windows` says how far.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import pcn_course
from pcn_course import system
from tests.support import windows
from tests.support.nbgrader_course import Course, sample_answers
from tests.support.submissions import lay_down

STEP = "step-1-goals"
ROOT = Path(pcn_course.__file__).parents[1]


def on_windows(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.support.windows", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    print(done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


def test_each_module_imports_without_what_only_unix_has() -> None:
    told = json.loads(on_windows("imports").stdout.splitlines()[-1])
    assert len(told) > 80
    hub = {name for name in told if name.startswith("pcn_course.hub")}
    assert {name: why for name, why in told.items() if why and name not in hub} == {}
    refused = "ImportError: The class server (pcn_course.hub) runs on Linux only."
    assert told["pcn_course.hub"] == refused


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Two have handed in; a link stands where a third one's answers should."""
    course = Course.make(tmp_path_factory.mktemp("windows") / "course")
    course.instructor.nbgrader("generate_assignment", STEP)
    answers = sample_answers(course.content.step(STEP))
    lay_down(course, STEP, {"ada": answers, "ben": answers, "cyd": answers})
    folder = course.instructor.room / "submitted" / "cyd" / STEP
    (folder / "answers.json").unlink()
    (folder / "answers.json").symlink_to(course.instructor.room / "nbgrader_config.py")
    return course


def test_an_instructor_can_grade_look_and_back_up(course: Course, tmp_path: Path) -> None:
    room = course.instructor.room
    graded = on_windows("nbgrader", "autograde", STEP, cwd=room)
    assert graded.returncode == 0
    assert course.instructor.grades("ada", STEP)["structure"]["score"] > 0
    (room / "late.csv").write_text("what,student,step,value\npenalty,,all,1 point per day\n")
    late = on_windows("pcn", "late", "--room", room)
    assert late.returncode == 0
    feedback = on_windows("pcn", "feedback", STEP, "--word", tmp_path / "word", "--room", room)
    assert feedback.returncode == 0
    doctor = on_windows("pcn", "doctor", "--room", room)
    assert "could not be checked" not in doctor.stdout
    assert "XX" not in doctor.stdout
    backup = on_windows("pcn", "backup", tmp_path / "copy", "--room", room)
    assert backup.returncode == 0
    assert on_windows("pcn", "restore", tmp_path / "copy", "--verify").returncode == 0
    restored = on_windows("pcn", "restore", tmp_path / "copy", tmp_path / "back")
    assert restored.returncode == 0
    kept = tmp_path / "back" / "course" / "assignments" / "submitted" / "ada" / STEP
    original = room / "submitted" / "ada" / STEP / "answers.json"
    assert (kept / "answers.json").read_bytes() == original.read_bytes()
    purge = on_windows("pcn", "purge", "--student", "ben", "--yes", "--room", room)
    assert purge.returncode == 0
    assert not (room / "submitted" / "ben").exists()


def test_what_windows_lacks_is_used_in_one_module() -> None:
    """Whatever else asks for it, asks whether it is there."""
    used = []
    for path in sorted((ROOT / "pcn_course").rglob("*.py")):
        name = path.relative_to(ROOT / "pcn_course").as_posix()
        if name == "system.py" or name.startswith("hub/"):
            continue
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                used += [(name, one.name) for one in node.names if one.name in windows.MODULES]
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.attr in windows.LACKING.get(node.value.id, ())
                and f'hasattr({node.value.id}, "' not in text
                and "system.OWNERS" not in text
            ):
                used.append((name, f"{node.value.id}.{node.attr}"))
    assert used == []


def test_a_link_is_no_file_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"line\r\n")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / "folder" / "other").symlink_to(tmp_path / "folder" / "file")
    with pytest.raises(OSError):
        system.open_folder(tmp_path / "link")
    folder = system.open_folder(tmp_path / "folder")
    try:
        assert system.names_in(folder) == ["file", "other"]
        with pytest.raises(OSError):
            system.open_file("other", folder=folder)
        with os.fdopen(system.open_file("file", folder=folder), "rb") as file:
            assert file.read() == b"line\r\n"
        assert system.link_in(folder, "other") == str(tmp_path / "folder" / "file")
    finally:
        system.close(folder)
