"""Submissions as collecting lays them down, many at a time, and the same course for stock nbgrader.

lay_down(course, "step-1-goals", {"ada": {"live-project": "…"}})
stock = as_stock(course, tmp_path / "stock")
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.nbgrader_course import Course, Instructor

WHEN = "2027-01-20 10:00:00.000000 UTC"
STOCK = '''"""nbgrader as it comes: only the folders are named."""

import os
from pathlib import Path

here = Path(__file__).absolute().parent
os.environ["PCN_COURSE"] = str(here.parent)
c = get_config()
c.CourseDirectory.course_id = "pcn"
c.CourseDirectory.root = str(here)
c.CourseDirectory.source_directory = "../notebooks"
c.CourseDirectory.db_url = f"sqlite:///{here}/gradebook.db?timeout=30"
c.CourseDirectory.ignore = [".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback"]
'''


def lay_down(course: Course, step_id: str, answers: Mapping[str, Mapping[str, Any]]) -> None:
    """Lay down what students handed in; the step must have been generated."""
    room = course.instructor.room
    step = course.content.step(step_id)
    for student, values in answers.items():
        folder = room / "submitted" / student / step_id
        folder.mkdir(parents=True)
        document = {
            "format": 1,
            "course": course.content.id,
            "step": step.name,
            "revision": 1,
            "saved_at": "2027-01-20T09:59:00Z",
            "fields": {key: {"value": value, "version": 1} for key, value in values.items()},
        }
        (folder / "answers.json").write_text(json.dumps(document), encoding="utf-8")
        (folder / "timestamp.txt").write_text(WHEN)
        shutil.copy(room / "release" / step_id / f"{step_id}.ipynb", folder)


def as_stock(course: Course, folder: Path) -> Instructor:
    """A copy of the course, before it was graded, whose nbgrader has none of our parts."""
    shutil.copytree(course.root, folder)
    room = folder / "assignments"
    (room / "nbgrader_config.py").write_text(STOCK)
    return Instructor(course.instructor.home, room)


def keep_names(room: Path, step_id: str, names: Mapping[str, tuple[str, str]]) -> None:
    """Keep what an LMS called each student's upload, as `zip_collect` does: (LMS, path)."""
    folder = room / ".pcn" / "lms"
    folder.mkdir(parents=True, exist_ok=True)
    kept = {student: {"lms": lms, "name": name} for student, (lms, name) in names.items()}
    (folder / f"{step_id}.json").write_text(json.dumps(kept), encoding="utf-8")
