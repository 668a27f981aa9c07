"""A complete student who never was, to be looked at: nobody needs to start at a blank page.

``data/example/<step id>.json`` has the form of an answers file; each says that it is made up.
"""

from __future__ import annotations

from typing import Any

from pcn_course.answers.store import Submitted, read_answers
from pcn_course.course import Course, Step


def has_example(course: Course) -> bool:
    """Whether the course brings an example."""
    return (course.root / "data" / "example").is_dir()


def example_answers(course: Course, step: Step) -> Submitted:
    """The example's answers to a step; none where there is no file."""
    return read_answers(course.root / "data" / "example" / f"{step.id}.json", step, course.id)


def example_values(course: Course) -> dict[str, dict[str, Any]]:
    """The example's answers as plain values, by step name and key."""
    return {
        step.name: {key: field.value for key, field in example_answers(course, step).fields.items()}
        for step in course.steps
    }
