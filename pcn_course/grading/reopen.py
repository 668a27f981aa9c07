"""Marks and new answers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_task
from sqlalchemy import delete, insert, select

from pcn_course.answers import FILE
from pcn_course.grading.nbgrader.gradebook import OneGradebook
from pcn_course.grading.records import REOPENED, answered, log_event, make_tables, second_marks


class ReopenMarks(NbGraderPreprocessor):
    """Asks for a new look at marks that were given on other answers than these.

    nbgrader grades again only what is new (or by ``--force``), and does the same for cells that it
    scores itself. The marks and comments stay until somebody changes or confirms them; the same
    answers handed in again ask for nothing. The log says when it was: second marks and settlements
    that are older don't count any more.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Set ``needs_manual_grade`` for all task cells that have a mark."""
        info = resources["nbgrader"]
        where = info["notebook"], info["assignment"], info["student"]
        sha256 = _sha256(Path(resources["metadata"]["path"]) / FILE)
        with OneGradebook(info["db_url"]) as gradebook:
            own = info["student"], info["assignment"]
            changed, again = self._changed(gradebook, *own, sha256)
            if changed:
                reopened = again and _marked_twice(gradebook, *own)
                for cell in nb.cells:
                    if is_task(cell):
                        grade = gradebook.find_grade(cell.metadata["nbgrader"]["grade_id"], *where)
                        if grade.manual_score is not None:
                            grade.needs_manual_grade = reopened = True
                if reopened:
                    student, step = own
                    log_event(
                        gradebook.db.connection(), by="", student=student, step=step, what=REOPENED
                    )
            gradebook.db.commit()
        return nb, resources

    def _changed(
        self, gradebook: Gradebook, student: str, step: str, sha256: str
    ) -> tuple[bool, bool]:
        """Whether these are other answers than those graded last, and whether there were any.

        They are kept as those graded last now.
        """
        make_tables(gradebook.engine)
        own = answered.c.student == student, answered.c.step == step
        last = gradebook.db.execute(select(answered.c.sha256).where(*own)).scalar()
        if last == sha256:
            return False, True
        gradebook.db.execute(delete(answered).where(*own))
        row = {"student": student, "step": step, "sha256": sha256}
        gradebook.db.execute(insert(answered).values(row))
        return True, last is not None


def _marked_twice(gradebook: Gradebook, student: str, step: str) -> bool:
    """Whether a second marker was here, who may be faster than the first."""
    own = second_marks.c.student == student, second_marks.c.step == step
    return gradebook.db.execute(select(second_marks.c.id).where(*own)).first() is not None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
