"""What the course asks: its steps, prompts, rubric and tools, loaded from ``data/``.

This package knows nothing of notebooks, widgets or nbgrader.
"""

from pcn_course.course.faults import CourseError, Fault
from pcn_course.course.load import default_root, load_course
from pcn_course.course.model import (
    MAX_TEXT,
    Course,
    Criterion,
    Level,
    Option,
    Panel,
    Prompt,
    Reading,
    Rubric,
    Step,
    StructurePoint,
    Tool,
    UnknownStepError,
)
from pcn_course.course.released import asked

__all__ = [
    "MAX_TEXT",
    "Course",
    "CourseError",
    "Criterion",
    "Fault",
    "Level",
    "Option",
    "Panel",
    "Prompt",
    "Reading",
    "Rubric",
    "Step",
    "StructurePoint",
    "Tool",
    "UnknownStepError",
    "asked",
    "default_root",
    "load_course",
]
