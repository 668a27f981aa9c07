"""What goes out with a released notebook."""

from __future__ import annotations

import datetime as dt
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.preprocessors import NbGraderPreprocessor

from pcn_course.course import UnknownStepError, load_course


class CarryDueDate(NbGraderPreprocessor):
    """Writes the due date into the notebook, where students' pages find it.

    The gradebook's date counts, which formgrader can change; where it has none, it takes the one
    in ``data/course.toml``. After a change, generate and release the assignment again.
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
        """The due date in UTC."""
        from_course = _from_course(assignment_id)
        if getattr(getattr(self.parent, "parent", None), "no_database", False):
            return from_course
        with Gradebook(db_url) as gradebook:
            try:
                # The gradebook's dates are UTC without saying so.
                due: dt.datetime | None = gradebook.find_assignment(assignment_id).duedate
            except MissingEntry:
                return from_course
            if due is None:
                if from_course:
                    naive = from_course.replace(tzinfo=None)
                    gradebook.update_or_create_assignment(assignment_id, duedate=naive)
                return from_course
        in_gradebook: dt.datetime = due.replace(tzinfo=dt.UTC)
        if from_course and from_course != in_gradebook:
            self.log.warning(
                "The gradebook's due date of %s is %s and counts; data/course.toml says %s",
                assignment_id, in_gradebook, from_course,
            )  # fmt: skip
        return in_gradebook


def _from_course(assignment_id: str) -> dt.datetime | None:
    try:
        due = load_course().step(assignment_id).due
    except UnknownStepError:
        return None
    return due.astimezone(dt.UTC) if due else None
