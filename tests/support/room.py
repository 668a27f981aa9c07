"""Course folders with a gradebook: each kind is made once in a process, then copied.

nbgrader makes a gradebook in one to two seconds, most of them for alembic's process. A copy takes
hundredths of a second.
"""

from __future__ import annotations

import atexit
import contextlib
import datetime as dt
import functools
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pcn_course
from pcn_course.grading.gradebook.room import Room, open_room
from pcn_course.grading.nbgrader.gradebook import put_on_path

CHECKOUT = Path(pcn_course.__file__).parents[1]
HANDED_IN = dt.datetime(2027, 1, 20, 10, 0, tzinfo=dt.UTC)


def make_room(
    folder: Path,
    students: Iterable[str],
    steps: Iterable[str] = ("step-1-goals",),
    *,
    db_url: str | None = None,
    structure: float = 3.0,
) -> Room:
    """Return a course below ``folder`` with a submission of each student to each step, ungraded."""
    if db_url:
        return _build(folder, tuple(students), tuple(steps), structure, db_url)
    template = _template(tuple(students), tuple(steps), structure)
    shutil.copytree(template, folder, dirs_exist_ok=True)
    return open_room(folder / "assignments")


def restore(folder: Path, template: Path) -> None:
    """Make a course's folder equal to the one that it was copied from, under a server that uses it.

    The gradebook is written over as a transaction, so who has it open sees the other content.
    """
    kept = {path.relative_to(template) for path in template.rglob("*") if path.is_file()}
    for path in [one for one in folder.rglob("*") if one.is_file()]:
        name = path.relative_to(folder)
        if name not in kept and ".pcn" not in name.parts and not path.name.startswith("gradebook"):
            path.unlink()
    for name in kept:
        path = folder / name
        if name.name == "gradebook.db":
            with (
                contextlib.closing(sqlite3.connect(template / name)) as source,
                contextlib.closing(sqlite3.connect(path)) as target,
            ):
                source.backup(target)
        elif not path.exists() or path.read_bytes() != (template / name).read_bytes():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(template / name, path)


def lay_blank_gradebook(folder: Path) -> None:
    """Copy a gradebook without students or assignments into a course folder."""
    shutil.copy(_blank_gradebook(), folder / "gradebook.db")


@functools.cache
def _blank_gradebook() -> Path:
    from nbgrader.api import Gradebook

    path = _folder() / "gradebook.db"
    put_on_path()
    Gradebook(f"sqlite:///{path}", "pcn").close()
    return path


@functools.cache
def _template(students: tuple[str, ...], steps: tuple[str, ...], structure: float) -> Path:
    folder = _folder()
    _build(folder, students, steps, structure)
    return folder


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pcn-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _build(
    folder: Path,
    students: tuple[str, ...],
    steps: tuple[str, ...],
    structure: float,
    db_url: str | None = None,
) -> Room:
    shutil.copytree(CHECKOUT / "data", folder / "data")
    shutil.copytree(CHECKOUT / "notebooks", folder / "notebooks")
    (folder / "assignments").mkdir()
    config = folder / "assignments" / "nbgrader_config.py"
    shutil.copy(CHECKOUT / "assignments" / "nbgrader_config.py", config)
    if db_url:
        config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {db_url!r}\n")
    else:
        lay_blank_gradebook(folder / "assignments")
    room = open_room(folder / "assignments")
    with room.gradebook() as gradebook:
        for student in students:
            gradebook.add_student(student, first_name=student.title(), last_name="Doe")
        for step in steps:
            gradebook.add_assignment(step)
            gradebook.add_notebook(step, step)
            gradebook.add_grade_cell(
                "structure", step, step, max_score=room.course.rubric.structure, cell_type="code"
            )
            for criterion in room.course.rubric.criteria:
                gradebook.add_task_cell(
                    criterion.id, step, step, max_score=criterion.points, cell_type="markdown"
                )
            for student in students:
                hand_in(room, student, step, {})
                given = gradebook.add_submission(
                    step, student, timestamp=HANDED_IN.replace(tzinfo=None)
                )
                grades = {one.name: one for one in given.notebooks[0].grades}
                grades["structure"].auto_score = structure
                grades["structure"].needs_manual_grade = False
        gradebook.db.commit()
    return room


def hand_in(room: Room, student: str, step_id: str, values: Mapping[str, Any]) -> Path:
    """Lay a student's answers where collecting lays them; returns the folder."""
    folder = room.submission(student, step_id)
    folder.mkdir(parents=True, exist_ok=True)
    answers = {
        "format": 1,
        "course": room.course.id,
        "step": room.course.step(step_id).name,
        "revision": 1,
        "saved_at": "2027-01-20T09:59:00Z",
        "fields": {key: {"value": value, "version": 1} for key, value in values.items()},
    }
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    return folder
