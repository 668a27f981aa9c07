"""Marks and new answers."""

from __future__ import annotations

from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_task


class ReopenMarks(NbGraderPreprocessor):
    """Asks for a new look at marks that were given before these answers came in.

    nbgrader grades again only what is new (or by ``--force``), and does the same for cells that it
    scores itself. The marks and comments stay until somebody changes or confirms them.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Set ``needs_manual_grade`` for all task cells that have a mark."""
        info = resources["nbgrader"]
        where = info["notebook"], info["assignment"], info["student"]
        with Gradebook(info["db_url"]) as gradebook:
            for cell in nb.cells:
                if is_task(cell):
                    grade = gradebook.find_grade(cell.metadata["nbgrader"]["grade_id"], *where)
                    if grade.manual_score is not None:
                        grade.needs_manual_grade = True
            gradebook.db.commit()
        return nb, resources
