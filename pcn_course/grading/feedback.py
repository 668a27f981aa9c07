"""What a student gets back: one page for each step, and its way through the exchange."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution, is_task

from pcn_course.course import Course, Criterion, Step, UnknownStepError, load_course
from pcn_course.grading.notebooks import REVIEW, STRUCTURE
from pcn_course.look import LOOK


class FeedbackPage(NbGraderPreprocessor):
    """Gathers what the page ``templates/feedback`` shows, in ``resources["pcn"]``.

    It follows nbgrader's ``GetGrades``, which puts scores and comments into the notebook.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read the graded notebook, the gradebook and the course."""
        info = resources["nbgrader"]
        course = load_course()
        step = _step(course, info["assignment"])
        criteria = {criterion.id: criterion for criterion in course.rubric.criteria}
        unmarked, by_hand, handed_in = self._from_gradebook(info)
        scored = [
            _scored(cell, criteria, unmarked)
            for cell in nb.cells
            if (is_grade(cell) or is_task(cell) or is_solution(cell)) and not _is(cell, STRUCTURE)
        ]
        structure = _first(nb, STRUCTURE)
        resources["pcn"] = {
            "course": course.title,
            "title": step.title if step else nb.metadata.get("title", info["notebook"]),
            "number": step.number if step else 0,
            "steps": len(course.steps),
            "look": LOOK.read_text(encoding="utf-8"),
            "handed_in": handed_in,
            "score": _plain_number(info["score"]),
            "out_of": _plain_number(info["max_score"]),
            "late": _plain_number(info["late_penalty"]),
            "unmarked": len(unmarked),
            "structure": structure
            and {**_scored(structure, criteria, unmarked), "by_hand": STRUCTURE in by_hand},
            "structure_html": _html(structure),
            "criteria": scored,
            "answers_html": _html(_first(nb, REVIEW)),
        }
        return nb, resources

    def _from_gradebook(
        self, info: dict[str, Any]
    ) -> tuple[set[str], set[str], dt.datetime | None]:
        """The cells without a score, those scored by hand, and when this was handed in (UTC)."""
        where = info["notebook"], info["assignment"], info["student"]
        with Gradebook(info["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(*where)
            by_hand = {one.name for one in notebook.grades if one.manual_score is not None}
            scored = {one.name for one in notebook.grades if one.auto_score is not None}
            unmarked = {one.name for one in notebook.grades} - by_hand - scored
            return unmarked, by_hand, notebook.assignment.timestamp


class ReleaseFeedback(ExchangeReleaseFeedback):
    """``nbgrader release_feedback``: one student's missing file doesn't keep it from the others."""

    src_path: str

    def copy_files(self) -> None:
        """Release student by student."""
        pattern = self.src_path
        root = Path(self.coursedir.root)
        for folder in sorted(root.glob(str(Path(pattern).relative_to(root)))):
            self.src_path = str(folder)
            try:
                super().copy_files()
            except (OSError, ValueError) as error:
                self.log.warning(
                    "Not released, because what was handed in can't be matched (%s). "
                    "Give this page to the student in another way: %s", error, folder,
                )  # fmt: skip
        self.src_path = pattern


def _step(course: Course, assignment_id: str) -> Step | None:
    try:
        return course.step(assignment_id)
    except UnknownStepError:
        return None


def _scored(
    cell: NotebookNode, criteria: dict[str, Criterion], unmarked: set[str]
) -> dict[str, Any]:
    """A score with its comment; the words are the rubric's, or the cell's first line."""
    about = cell.metadata["nbgrader"]
    grade_id = about["grade_id"]
    criterion = criteria.get(grade_id)
    points = about.get("points")
    score = None if grade_id in unmarked or points is None else about["score"]
    level = next(
        (one for one in (criterion.levels if criterion else ()) if one.points == score), None
    )
    heading = re.match(r"#+\s+(.+)", cell.source)
    return {
        "id": grade_id,
        "title": criterion.title if criterion else (heading[1] if heading else grade_id),
        "question": criterion.question if criterion else "",
        "score": None if score is None else _plain_number(score),
        "out_of": None if points is None else _plain_number(points),
        "level": level,
        "comment": (about.get("comment") or "").strip(),
        "levels": [
            {"points": _plain_number(one.points), "name": one.name, "text": one.text}
            for one in (criterion.levels if criterion else ())
        ],
    }


def _plain_number(number: float) -> str:
    return f"{round(number, 2):g}"


def _is(cell: NotebookNode, grade_id: str) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def _first(nb: NotebookNode, grade_id: str) -> NotebookNode | None:
    return next((cell for cell in nb.cells if _is(cell, grade_id)), None)


def _html(cell: NotebookNode | None) -> str:
    """What the course's own cell showed; it has escaped whatever the student wrote."""
    outputs = cell.outputs if cell else []
    return "".join(output["data"].get("text/html", "") for output in outputs if "data" in output)
