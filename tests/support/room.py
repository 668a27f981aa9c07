"""An instructor's room with a gradebook, made in a moment by nbgrader's own interface."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pcn_course
from pcn_course.grading.room import Room, open_room

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
    """A room below ``folder`` in which all ``students`` have handed in all ``steps``, unmarked."""
    shutil.copytree(CHECKOUT / "data", folder / "data")
    shutil.copytree(CHECKOUT / "notebooks", folder / "notebooks")
    (folder / "assignments").mkdir()
    config = folder / "assignments" / "nbgrader_config.py"
    shutil.copy(CHECKOUT / "assignments" / "nbgrader_config.py", config)
    if db_url:
        config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {db_url!r}\n")
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
