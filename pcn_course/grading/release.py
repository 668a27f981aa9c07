"""What goes out with a released notebook."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor

from pcn_course.course import UnknownStepError, load_course
from pcn_course.grading.due import carry, in_words
from pcn_course.grading.lms.zones import zone_of


class CarryDueDate(NbGraderPreprocessor):
    """Writes the due date into the notebook, where students' pages find it.

    The gradebook's date counts. It takes the one in ``data/course.toml`` unless another was set in
    Formgrader. After a change, generate and release the assignment again.
    """

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Set ``metadata.pcn.due``, or take it away when there is no date."""
        pcn = {key: value for key, value in nb.metadata.get("pcn", {}).items() if key != "due"}
        due = self._due(resources["nbgrader"]["assignment"], resources["nbgrader"]["db_url"])
        if due:
            pcn["due"] = due.strftime("%Y-%m-%dT%H:%M:%SZ")
        nb.metadata["pcn"] = pcn
        return nb, resources

    def _due(self, assignment_id: str, db_url: str) -> dt.datetime | None:
        """Return the due date in UTC."""
        try:
            step = load_course().step(assignment_id)
        except UnknownStepError:
            return None
        zone = zone_of(self.config)
        from_course = step.due.astimezone(dt.UTC) if step.due else None
        if getattr(getattr(self.parent, "parent", None), "no_database", False):
            return from_course
        with Gradebook(db_url) as gradebook:
            try:
                due, text = carry(Path(self.parent.parent.coursedir.root), gradebook, step)
            except MissingEntry:
                return from_course
        if text:
            self.log.warning(text)
        words = in_words(due, zone) if due else "no due date"
        self.log.info("%s: students will see %s", assignment_id, words)
        return due
