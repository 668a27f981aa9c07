"""What a student gets back: one page for each step, and its way through the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from nbformat import NotebookNode
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.preprocessors import NbGraderPreprocessor
from sqlalchemy import Engine, delete, insert, select
from traitlets import List, Unicode

from pcn_course.course import load_course
from pcn_course.grading.feedback.letter import keep_answers, plain_number, write_letter
from pcn_course.grading.gradebook.schema import log_event, make_tables, now, releases
from pcn_course.grading.nbgrader.gradebook import OneGradebook
from pcn_course.grading.notebooks import REVIEW, STRUCTURE
from pcn_course.look import LOOK

State = Literal["held", "released"]
EVERYBODY = "*"
"""Whom a release is about, in the log."""


class FeedbackPage(NbGraderPreprocessor):
    """Gathers what the page ``templates/feedback`` shows, in ``resources["pcn"]``.

    It follows nbgrader's ``GetGrades``, which puts scores and comments into the notebook.
    """

    # nbgrader's class has it, and not as a setting; then the exporter's word on it is warned of.
    display_data_priority = List(Unicode()).tag(config=True)

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Read the graded notebook, the gradebook and the course."""
        folder = Path(resources["metadata"]["path"])
        room = Path(self.parent.parent.coursedir.root)
        resources["pcn"] = {
            "letter": write_letter(nb, resources["nbgrader"], load_course(), folder, room),
            "number": plain_number,
            "look": LOOK.read_text(encoding="utf-8"),
            # These cells of the course escape whatever the student wrote.
            "structure_html": _html(_first(nb, STRUCTURE)),
            "answers_html": _html(_first(nb, REVIEW)),
        }
        return nb, resources


class ReleaseFeedback(ExchangeReleaseFeedback):
    """``nbgrader release_feedback``: one student's missing file doesn't keep it from the others.

    A step that is held is not released. What is released is kept with its answers, so that the
    next letter can say what changed.
    """

    src_path: str

    def start(self) -> Any:
        """Release, unless it is held; however a subclass brings it to the students."""
        step = self.coursedir.assignment_id
        with OneGradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            if release_state(gradebook.engine, step) == "held":
                self.fail(
                    f"Feedback on {step} is held, so nobody gets it yet. "
                    f"When all of it is ready: pcn feedback {step} --release"
                )
        done = super().start()
        root = Path(self.coursedir.root)
        for folder in feedback_folders(root, self.src_path):
            keep_answers(root, folder.parent.name, step, folder)
        return done

    def copy_files(self) -> None:
        """Copy each student's feedback into the exchange, one student after another."""
        pattern = self.src_path
        for folder in feedback_folders(Path(self.coursedir.root), pattern):
            self.src_path = str(folder)
            try:
                super().copy_files()
            except (OSError, ValueError) as error:
                self.log.warning(
                    "Not released, because what was handed in can't be matched (%s). "
                    "Give this page to the student in another way: %s", error, folder,
                )  # fmt: skip
        self.src_path = pattern


def feedback_folders(root: Path, pattern: str) -> Iterator[Path]:
    """The folders of a step's letters, one for each student."""
    yield from sorted(root.glob(str(Path(pattern).relative_to(root))))


def release_state(engine: Engine, step: str) -> State | None:
    """Whether a step's feedback is held or was released for all; None where nobody said."""
    make_tables(engine)
    with engine.connect() as connection:
        found: State | None = connection.execute(
            select(releases.c.state).where(releases.c.step == step)
        ).scalar()
    return found


def set_release_state(engine: Engine, step: str, state: State, by: str) -> None:
    """Hold a step's feedback, or let go of it; who said so is kept in the log."""
    before = release_state(engine, step)
    with engine.begin() as connection:
        connection.execute(delete(releases).where(releases.c.step == step))
        connection.execute(insert(releases).values(step=step, state=state, by=by, at=now()))
        log_event(
            connection, by=by, student=EVERYBODY, step=step, what="released", before=before,
            after=state,
        )  # fmt: skip


def _first(nb: NotebookNode, grade_id: str) -> NotebookNode | None:
    cells = (cell for cell in nb.cells if "nbgrader" in cell.metadata)
    return next((one for one in cells if one.metadata["nbgrader"]["grade_id"] == grade_id), None)


def _html(cell: NotebookNode | None) -> str:
    """What the course's own cell showed; it has escaped whatever the student wrote."""
    outputs = cell.outputs if cell else []
    return "".join(output["data"].get("text/html", "") for output in outputs if "data" in output)
