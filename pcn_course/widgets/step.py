"""One step in a notebook: three lines of Python, and everything else is data."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from pcn_course.answers.store import FILE, Submitted, read_submitted
from pcn_course.answers.structure import check
from pcn_course.course import Course, Step, load_course
from pcn_course.review import checked_html, submitted_html
from pcn_course.widgets.form import Form
from pcn_course.workspace import Workspace, open_workspace

_ELSEWHERE = (
    "When this step is graded, your answers stand here. They are kept beside this notebook, not in "
    "it. To see them as your instructor will, press the button at the end of the form."
)


class StepPage:
    """A step as its notebook shows it: a form for the student, a review and a check for grading.

    >>> step = open_step("goals")
    >>> step.form()
    """

    def __init__(self, course: Course, step: Step, folder: Path) -> None:
        self._course = course
        self._step = step
        self._folder = folder
        inside = folder.name == step.id
        self._workspace = Workspace(folder.parent) if inside else open_workspace(folder)

    def form(self) -> Form | None:
        """The step's form; nothing while nbgrader runs the notebook: there is nobody to write."""
        if os.environ.get("NBGRADER_EXECUTION"):
            return None
        return Form(self._course, self._step, self._workspace)

    def review(self) -> None:
        """Show all public answers under their prompts, when nbgrader runs the notebook.

        A student who runs it in JupyterLab gets a sentence: what a cell shows is kept in the
        notebook, and answers are not.
        """
        if not os.environ.get("NBGRADER_EXECUTION"):
            _show(f"<p>{_ELSEWHERE}</p>")
            return
        answers = self._answers()
        _show(submitted_html(self._step, answers))

    def check(self) -> float:
        """Show the structure points with the reason for each missing one, and return their sum."""
        answers = self._answers()
        checked = check(answers.step or self._step, answers.fields)
        _show(checked_html(checked))
        return float(checked.points)

    def _answers(self) -> Submitted:
        return read_submitted(self._folder / FILE, self._course, self._step)


def open_step(name: str) -> StepPage:
    """The step ``name`` (``goals`` or ``step-1-goals``), with the answers in the current folder.

    Nothing is written before the student writes.

    Raises:
        UnknownStepError: the course has no such step.
        CourseError: the course's files hold faults.
    """
    course = load_course()
    return StepPage(course, course.step(name), Path.cwd())


def _show(html: str) -> None:
    from IPython.display import HTML, display

    # A warning would stand between the answers and whoever reads them.
    with warnings.catch_warnings(action="ignore"):
        display(HTML(html))  # type: ignore[no-untyped-call]
