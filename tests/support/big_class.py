"""A large class with all marks, laid down in seconds: rows straight into the gradebook's tables.

Made up, as is everything in it.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbgrader import api
from sqlalchemy import insert, select, update

from pcn_course.course import Prompt, Step, load_course
from pcn_course.grading.gradebook.room import Room
from pcn_course.grading.notebooks import STRUCTURE, write_room_notebooks
from tests.support.room import HANDED_IN, hand_in, make_room

DUE = HANDED_IN + dt.timedelta(hours=1)
WORDS = (
    "The table took ten minutes, and nobody asked for it.",
    "Half an hour went into finding out what a sector is.",
    "Nothing did. I liked the map, and would have liked it earlier.",
    "Reading all of it again on a phone: 25 minutes.",
)


def big_class(folder: Path, size: int, *, seed: int = 7) -> Room:
    """A room below ``folder`` with ``size`` students in all five steps, most of them marked."""
    room = make_room(folder, [], [step.id for step in load_course().steps])
    write_room_notebooks(room.root)
    chance = random.Random(seed)
    students = [f"s{number:04}" for number in range(size)]
    shapes = {step.id: list(_answers(step, chance, 40)) for step in room.course.steps}
    given = []
    for student in students:
        for step in room.course.steps:
            # A few hand in less than everything, as in life.
            if chance.random() < 0.97:
                given.append((student, step.id))
                hand_in(room, student, step.id, chance.choice(shapes[step.id]))
    _fill(room, students, given, chance)
    return room


def _fill(
    room: Room, students: list[str], given: list[tuple[str, str]], chance: random.Random
) -> None:
    tables = api.Base.metadata.tables
    rows: dict[str, list[dict[str, Any]]] = {"submitted_assignment": [], "submitted_notebook": []}
    grades = []
    with room.engine.begin() as connection:
        steps = {row.name: row.id for row in connection.execute(select(tables["assignment"]))}
        books = {row.name: row.id for row in connection.execute(select(tables["notebook"]))}
        cells: dict[str, list[Any]] = {}
        for row in connection.execute(select(tables["base_cell"])):
            cells.setdefault(row.notebook_id, []).append(row)
        connection.execute(update(tables["assignment"]).values(duedate=DUE.replace(tzinfo=None)))
        connection.execute(
            insert(tables["student"]),
            [
                {"id": one, "first_name": f"Given{one[1:]}", "last_name": "Family"}
                for one in students
            ],
        )
        for student, step in given:
            submission, notebook = uuid.uuid4().hex, uuid.uuid4().hex
            late = dt.timedelta(hours=3) if chance.random() < 0.1 else dt.timedelta()
            when = (HANDED_IN + late).replace(tzinfo=None)
            rows["submitted_assignment"].append(
                {"id": submission, "assignment_id": steps[step], "student_id": student,
                 "timestamp": when, "extension": None}
            )  # fmt: skip
            rows["submitted_notebook"].append(
                {"id": notebook, "assignment_id": submission, "notebook_id": books[step],
                 "late_submission_penalty": None}
            )  # fmt: skip
            for cell in cells[books[step]]:
                by_machine = cell.name == STRUCTURE
                points = None
                if not by_machine and chance.random() < 0.9:
                    points = float(chance.choice((4, 3, 3, 2, 2, 1, 0)))
                grades.append(
                    {"id": uuid.uuid4().hex, "cell_id": cell.id, "notebook_id": notebook,
                     "auto_score": 3.0 if by_machine else None, "manual_score": points,
                     "needs_manual_grade": not by_machine and points is None}
                )  # fmt: skip
        for name, more in rows.items():
            connection.execute(insert(tables[name]), more)
        connection.execute(insert(tables["grade"]), grades)


def _answers(step: Step, chance: random.Random, shapes: int) -> Iterator[dict[str, Any]]:
    """So many ways to answer a step, of different diligence."""
    for _ in range(shapes):
        care = chance.uniform(0.5, 1.0)
        yield {
            prompt.key: answer(prompt, chance)
            for prompt in step.prompts
            if not prompt.private
            and chance.random() < care
            and (prompt.key not in step.covered or care > 0.95)
        }


def answer(prompt: Prompt, chance: random.Random) -> Any:
    """An answer to a prompt."""
    rows = [f"r{row}" for row in range(5)]
    match prompt.kind:
        case "line" | "text":
            return chance.choice(WORDS)
        case "choice" if prompt.refers:
            return chance.choice(rows)
        case "choices" if prompt.refers:
            return [one for one in rows if chance.random() < 0.3]
        case "choice":
            return chance.choice(prompt.options).value
        case "choices":
            often = {one.value: (0.4 if at < 6 else 0.02) for at, one in enumerate(prompt.options)}
            return [value for value, part in often.items() if chance.random() < part]
        case "scale":
            return chance.randint(1, prompt.points)
        case "date":
            return "2027-02-26"
        case "time":
            return "15:30"
    made = []
    for row in range(min(prompt.max_rows, chance.randint(2, 8))):
        cells = {one.key: answer(one, chance) for one in prompt.columns}
        made.append({"id": f"r{row}", **{key: one for key, one in cells.items() if one}})
    return made
