"""The class as a whole: who is where, which levels were reached, what is missing, as tables.

What is about grading is exact: an instructor knows it of each student. Of everything else no count
is shown that says something of fewer than five students; see `protect`.
"""

from pcn_course.grading.cohort.reading import Class, Told, read_class, tell
from pcn_course.grading.cohort.suppress import FEWER, LEAST, NOT_SHOWN, Cell, protect
from pcn_course.grading.cohort.tables import (
    gaps,
    levels,
    minutes,
    open_prompts,
    people,
    progress,
    tools,
)

__all__ = [
    "FEWER",
    "LEAST",
    "NOT_SHOWN",
    "Cell",
    "Class",
    "Told",
    "gaps",
    "levels",
    "minutes",
    "open_prompts",
    "people",
    "progress",
    "protect",
    "read_class",
    "tell",
    "tools",
]
