"""How a gradebook is opened: private when it is new, and once for a whole run of nbgrader.

nbgrader opens it anew, engine and all, some ten times for each submission: half of what is left of
the time when no kernel has to start. `patches` puts `OneGradebook` where nbgrader would do that.
"""

from __future__ import annotations

import functools
import os
import shutil
import sysconfig
import threading
from pathlib import Path
from typing import Any, ClassVar, Self

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from sqlalchemy import Engine, bindparam, event, select
from sqlalchemy.engine import make_url

from pcn_course.files import private_mode


def put_on_path() -> None:
    """Let nbgrader find ``alembic``, which it runs by name when it makes a gradebook.

    ``.venv/bin/pcn`` and ``.venv/bin/nbgrader`` work without activating anything, but what they
    start is looked up on the PATH. Another environment's alembic knows neither this one's nbgrader
    nor its driver for PostgreSQL, so this environment's own comes first.
    """
    scripts = Path(sysconfig.get_path("scripts"))
    own = shutil.which("alembic", path=str(scripts))
    if own and shutil.which("alembic") != own:
        os.environ["PATH"] = os.pathsep.join(filter(None, (str(scripts), os.environ.get("PATH"))))


@event.listens_for(Engine, "do_connect")
def _make_private(
    dialect: Any, _record: Any, arguments: list[Any], _options: dict[str, Any]
) -> None:
    """Make a new SQLite file empty and with `private_mode`, before SQLite makes it for everybody.

    A file that is there is left as it is. Of what can't be made SQLite tells better why.
    """
    place = str(arguments[0]) if dialect.name == "sqlite" and arguments else ""
    if place in ("", ":memory:") or place.startswith("file:") or os.path.lexists(place):
        return
    try:
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_mode()))
    except OSError:
        return


class OneGradebook(Gradebook):
    """A gradebook that is opened once for each address; closing it ends only the session."""

    _open: ClassVar[dict[Any, Any]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __new__(cls, db_url: str, course_id: str = "default_course", *_more: Any) -> Self:
        """The gradebook that is open already, if it is."""
        with cls._lock:
            found: Self | None = cls._open.get((db_url, course_id, _file_of(db_url)))
            if found is None:
                put_on_path()
                found = super().__new__(cls)
                Gradebook.__init__(found, db_url, course_id, *_more)
                # nbgrader commits some ten times for each submission, and would read all anew after
                # each. Its sessions end with each piece of work, so nothing stays old for long.
                found.db.remove()
                found.db.configure(expire_on_commit=False)
                # A new SQLite file has its number only now.
                cls._open[db_url, course_id, _file_of(db_url)] = found
            return found

    def __init__(self, *_: Any, **__: Any) -> None:
        """Nothing is left to do."""

    def close(self) -> None:
        """End the session: what was not committed is undone, the connection goes back."""
        self._forget()
        self.db.remove()

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Any:
        """A grade; the first of a submission brings all of them, in one query.

        Raises:
            MissingEntry: there is none.
        """
        return self._all(Grade, notebook, assignment, student).get(
            grade_cell
        ) or super().find_grade(grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Any:
        """A comment; the first of a submission brings all of them, in one query.

        Raises:
            MissingEntry: there is none.
        """
        return self._all(Comment, notebook, assignment, student).get(
            solution_cell
        ) or super().find_comment(solution_cell, notebook, assignment, student)

    def _all(self, kind: Any, *where: str) -> dict[str, Any]:
        """All grades or all comments of one submission by the names of their cells."""
        kept = self.__dict__.setdefault("_kept", threading.local()).__dict__
        if kept.get(kind, (None,))[0] != where:
            rows = self.db.execute(_all_of(kind), dict(zip(_WHERE, where, strict=True)))
            kept[kind] = where, {name: one for one, name in rows}
        found: dict[str, Any] = kept[kind][1]
        return found

    def _forget(self) -> None:
        self.__dict__.setdefault("_kept", threading.local()).__dict__.clear()


_WHERE = ("notebook", "assignment", "student")


@functools.cache
def _all_of(kind: Any) -> Any:
    """The query for all grades or comments of a submission."""
    return (
        select(kind, BaseCell.name)
        .join(BaseCell, BaseCell.id == kind.cell_id)
        .join(SubmittedNotebook, SubmittedNotebook.id == kind.notebook_id)
        .join(Notebook, Notebook.id == SubmittedNotebook.notebook_id)
        .join(SubmittedAssignment, SubmittedAssignment.id == SubmittedNotebook.assignment_id)
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .where(
            Notebook.name == bindparam("notebook"),
            Assignment.name == bindparam("assignment"),
            SubmittedAssignment.student_id == bindparam("student"),
        )
    )


def _file_of(db_url: str) -> Any:
    """What tells a SQLite file from another one that later stands at its place."""
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    try:
        about = Path(url.database).stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino
