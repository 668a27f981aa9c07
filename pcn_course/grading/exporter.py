"""Grading without the student's notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException


class ReleasedNotebookExporter(NotebookExporter):
    """Reads the released notebook wherever nbgrader would read a student's.

    Cells that a student renamed, unlocked, broke or added would at best leave the submission
    ungraded, and at worst run with the instructor's rights. A submission is its answers, which
    lie beside the notebook as data; the released notebook shows and checks them.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert a notebook; the first of autograding's passes begins with the released one."""
        converter = self.parent
        if isinstance(converter, Autograde) and converter._sanitizing:  # noqa: SLF001 (no other sign)
            filename = str(_released(converter, filename))
        return super().from_filename(filename, resources, **kw)


def _released(converter: Autograde, submitted: str) -> Path:
    submitted_path = Path(submitted)
    folder = converter.coursedir.format_path(
        converter.coursedir.release_directory, ".", submitted_path.parent.name
    )
    released = Path(folder) / submitted_path.name
    if not released.is_file():
        step = submitted_path.parent.name
        message = f"{released} is missing; run `nbgrader generate_assignment {step}`"
        raise NbGraderException(message)
    return released
