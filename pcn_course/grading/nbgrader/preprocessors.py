"""Grading without the student's notebook."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, ClassVar

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

    _last: ClassVar[tuple[Any, NotebookNode, dict[str, Any]] | None] = None

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert a notebook; the first of autograding's passes begins with the released one."""
        converter = self.parent
        if isinstance(converter, Autograde) and converter._sanitizing:  # noqa: SLF001 (no other sign)
            return self._sanitized(_released(converter, filename), resources, **kw)
        return super().from_filename(filename, resources, **kw)

    def _sanitized(
        self, released: Path, resources: dict[str, Any] | None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """The released notebook as sanitizing leaves it: the same for all, so it is done once."""
        about = released.stat()
        state = str(released), about.st_mtime_ns, about.st_size, about.st_ino
        if self._last and self._last[0] == state:
            _, output, extra = self._last
            return output, {**(resources or {}), **copy.deepcopy(extra)}
        output, made = super().from_filename(str(released), resources, **kw)
        given = resources or {}
        extra = {key: value for key, value in made.items() if given.get(key) != value}
        ReleasedNotebookExporter._last = state, output, copy.deepcopy(extra)
        return output, made


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
