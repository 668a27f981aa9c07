"""What nbgrader runs over a notebook of this course, in place of its own or after them."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import sys
from pathlib import Path
from typing import Any, ClassVar

from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_task
from sqlalchemy import delete, insert, select
from traitlets import Float

from pcn_course.answers.store import FILE
from pcn_course.course import load_course
from pcn_course.course.released import newest
from pcn_course.grading.dates import due_in
from pcn_course.grading.gradebook import audit_log
from pcn_course.grading.gradebook.schema import (
    REOPENED,
    answered,
    log_event,
    make_tables,
    second_marks,
)
from pcn_course.grading.nbgrader.gradebook import OneGradebook
from pcn_course.grading.nbgrader.release import in_utc, step_of
from pcn_course.grading.nbgrader.shell import notebook_session

Resources = dict[str, Any]


class CarryDueDate(NbGraderPreprocessor):
    """Writes the due date into the notebook, where students' pages find it.

    The gradebook's date counts, which formgrader can change; where it has none, it takes the one
    in ``data/course.toml``. After a change, generate and release the assignment again.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Set ``metadata.pcn.due``, or take it away when there is no date."""
        pcn = {key: value for key, value in nb.metadata.get("pcn", {}).items() if key != "due"}
        due = self._due(resources["nbgrader"]["assignment"], resources["nbgrader"]["db_url"])
        if due:
            pcn["due"] = due.strftime("%Y-%m-%dT%H:%M:%SZ")
        nb.metadata["pcn"] = pcn
        return nb, resources

    def _due(self, assignment_id: str, db_url: str) -> dt.datetime | None:
        """The due date in UTC, once `release` has made the two places agree."""
        course = load_course()
        step = step_of(course, assignment_id)
        from_course = in_utc(step.due) if step else None
        if getattr(getattr(self.parent, "parent", None), "no_database", False):
            return from_course
        with Gradebook(db_url) as gradebook:
            try:
                in_gradebook = due_in(gradebook, assignment_id)
            except MissingEntry:
                return from_course
            if in_gradebook is None and from_course and not newest(course, assignment_id):
                naive = from_course.replace(tzinfo=None)
                gradebook.update_or_create_assignment(assignment_id, duedate=naive)
                return from_course
            return in_gradebook


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


_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": ".".join(map(str, sys.version_info[:3])),
}
"""What a Python kernel says of itself, as it stands in a notebook that one has run."""


class ExecuteHere(NbGraderPreprocessor):
    """Runs the cells of the released notebook in this process, in place of nbgrader's Execute.

    An error in a cell becomes its output, and the cells after it run, as with nbgrader.
    """

    timeout = Float(30, allow_none=True, config=True, help="Seconds for each cell.")

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Run all code cells beside the student's answers."""
        folder = Path(resources["metadata"]["path"])
        with notebook_session(folder) as shell:
            for cell in nb.cells:
                if cell.cell_type == "code" and cell.source.strip():
                    cell.outputs, cell.execution_count = shell.run(cell.source, self.timeout)
        nb.metadata["language_info"] = dict(_LANGUAGE)
        return nb, resources


class ReopenMarks(NbGraderPreprocessor):
    """Asks for a new look at marks that were given on other answers than these.

    nbgrader grades again only what is new (or by ``--force``), and does the same for cells that it
    scores itself. The marks and comments stay until somebody changes or confirms them; the same
    answers handed in again ask for nothing. The log says when it was: second marks and settlements
    that are older don't count any more.
    """

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
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


class NoteReading(Preprocessor):
    """Notes in the audit log whose submission formgrader shows, before it is shown."""

    def preprocess(self, nb: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Write a line where formgrader's page of a submission is made, and nowhere else."""
        if "submission_id" in resources:
            read = audit_log.line(
                "read", marker="formgrader", student=resources["student"],
                step=resources["assignment_id"],
            )  # fmt: skip
            audit_log.write(Path(self.config.CourseDirectory.root), [read])
        return nb, resources
