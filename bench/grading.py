"""``nbgrader autograde`` beside stock nbgrader's, on the same submissions, in the same run.

The whole command is measured, start included, then once more without the start: a class is graded
in one command for each step, by both from the very same files. Stock nbgrader takes about a second
for each submission, some ten minutes in all. Ours is then given 100, 300 and 1,000 to see how it
grows.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.support import keep_apart, say, table, warn_of_load
from pcn_course.course import Step
from tests.support.nbgrader_course import Course, Instructor, sample_answers
from tests.support.submissions import as_stock, lay_down

SUMMARY = "autograde beside stock nbgrader: seconds for each submission, and how that grows"

GOAL = 20.0
"""How many times faster grading shall be."""
STUDENTS = 100
"""How many students both grade, in each of the course's steps."""
SIZES = (100, 300, 1000)


def run(rounds: int, patience: float) -> dict[str, Any]:
    """Measure it; the figures, in seconds."""
    del rounds, patience
    warn_of_load()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        keep_apart(Path(folder))
        course = Course.make(Path(folder) / "course", exchange=Path(folder) / "exchange")
        steps = course.content.steps
        for step in steps:
            course.instructor.nbgrader("generate_assignment", step.id)
        # One alone shows what a start costs.
        _hand_in(course, steps[0], ["start"])
        stock = as_stock(course, Path(folder) / "stock")
        starts = [_timed(one, steps[0]) for one in (course.instructor, stock)]
        students = [f"s{number:04}" for number in range(STUDENTS)]
        say(f"{STUDENTS} students × {len(steps)} steps, graded twice. Stock nbgrader takes long …")
        for step in steps:
            _hand_in(course, step, students)
        shutil.copytree(
            course.instructor.room / "submitted", stock.room / "submitted", dirs_exist_ok=True
        )
        whole = [sum(_timed(one, step) for step in steps) for one in (course.instructor, stock)]
        different = sum(
            course.instructor.grades(student, step.id) != stock.grades(student, step.id)
            for student, step in itertools.product(students, steps)
        )
        growth = _growth(course, steps[1])
    number = STUDENTS * len(steps)
    # Each command starts once; what one submission costs is what is left.
    alone = [(one - len(steps) * start) / number for one, start in zip(whole, starts, strict=True)]
    say(f"{different} of {number} submissions were graded differently")
    rows = [
        ["whole commands, s", *(f"{one:.1f}" for one in whole), f"{whole[1] / whole[0]:.1f}"],
        ["start of one, s", *(f"{one:.1f}" for one in starts), f"{starts[1] / starts[0]:.1f}"],
        [
            "each submission, ms",
            *(f"{1000 * one:.0f}" for one in alone),
            f"{alone[1] / alone[0]:.1f}",
        ],
    ]
    say(table(["", "ours", "stock", "times"], rows))
    say(table(["in one command", "s", "ms each"], [
        [f"{size:,}", f"{took:.1f}", f"{1000 * took / size:.0f}"] for size, took in growth.items()
    ]))  # fmt: skip
    ratio = whole[1] / whole[0]
    say(f"Goal: {GOAL:g} times for the whole. {'Met' if ratio >= GOAL else 'Missed'}.")
    return {
        "whole": whole, "start": starts, "each": alone, "times": ratio,
        "different": different, "growth": {str(size): took for size, took in growth.items()},
    }  # fmt: skip


def _hand_in(course: Course, step: Step, students: list[str]) -> None:
    full = sample_answers(step)
    answers = {
        student: {key: value for n, (key, value) in enumerate(full.items()) if (n + turn) % 5}
        for turn, student in enumerate(students)
    }
    lay_down(course, step.id, answers)


def _growth(course: Course, step: Step) -> dict[int, float]:
    """Seconds for ever larger classes, each graded in one command from nothing."""
    found = {}
    room = course.instructor.room
    for size in SIZES:
        shutil.rmtree(room / "submitted")
        shutil.rmtree(room / "autograded", ignore_errors=True)
        _hand_in(course, step, [f"g{size}-{number:04}" for number in range(size)])
        found[size] = _timed(course.instructor, step)
    return found


def _timed(instructor: Instructor, step: Step) -> float:
    begun = time.monotonic()
    instructor.autograde(step.id)
    return time.monotonic() - begun
