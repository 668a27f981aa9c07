"""The instructor's room: the folder in which nbgrader works, and its gradebook."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from nbgrader.api import Gradebook
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from pcn_course.answers.store import FILE, Submitted, read_submitted
from pcn_course.course import Course, default_root, load_course
from pcn_course.files import UserError
from pcn_course.grading.gradebook.audit_log import watch
from pcn_course.grading.nbgrader.gradebook import put_on_path

CONFIG = "nbgrader_config.py"
"""By this file a folder is known as an instructor's room."""


HELD = (
    "The gradebook is in use by another program. Close that program or wait until it is done, "
    "then try again."
)


class RoomError(UserError):
    """The room can't be used. ``plain`` says why and what to do."""


class Person(msgspec.Struct, frozen=True):
    """A student as the gradebook knows them."""

    id: str
    first: str = ""
    last: str = ""
    email: str = ""
    lms_id: str = ""

    @property
    def name(self) -> str:
        """First and last name; the id where there is no name."""
        return f"{self.first} {self.last}".strip() or self.id


class Room:
    """One course as its instructors have it: folders, configuration, gradebook."""

    def __init__(self, root: Path, course: Course, config: Config) -> None:
        self.root = root
        self.course = course
        self.config = config
        directory = config.CourseDirectory
        self.course_id = str(directory.get("course_id") or course.id)
        self.db_url = str(directory.get("db_url") or f"sqlite:///{root}/gradebook.db?timeout=30")
        self.submitted = self._folder("submitted")
        self.autograded = self._folder("autograded")
        self.released = self._folder("release")
        self.feedback = self._folder("feedback")

    def submission(self, student: str, step_id: str) -> Path:
        """The folder of what a student handed in."""
        return self.submitted / student / step_id

    def answers(self, student: str, step_id: str) -> Submitted:
        """The answers that a student handed in, checked against what was asked; none, if none.

        What autograding doesn't take, be it a link that was laid there by hand, isn't shown either.

        Raises:
            UnknownStepError: the course has no such step.
        """
        step = self.course.step(step_id)
        path = self.submission(student, step_id) / FILE
        if os.path.lexists(path) and not is_plain(path):
            return Submitted({}, ("The answers file is a link, or no file.",))
        return read_submitted(path, self.course, step)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """nbgrader's own view of the gradebook; it is made when missing.

        Raises:
            RoomError: the gradebook can't be opened.
        """
        put_on_path()
        try:
            opened = Gradebook(self.db_url, self.course_id)
        except (SQLAlchemyError, OSError) as error:
            raise RoomError(gradebook_fault(error, self.db_url)) from error
        with opened as gradebook:
            yield gradebook

    @functools.cached_property
    def engine(self) -> Engine:
        """SQLAlchemy's engine over the gradebook, whose tables are all there.

        Raises:
            RoomError: the gradebook can't be opened.
        """
        with self.gradebook():
            watch(self.root, self.db_url)
            return create_engine(self.db_url)

    def close(self) -> None:
        """Let go of the gradebook."""
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]

    def students(self) -> tuple[Person, ...]:
        """All students in the gradebook, by their ids.

        Raises:
            RoomError: the gradebook can't be opened.
        """
        with self.gradebook() as gradebook:
            people = [
                Person(
                    one.id,
                    one.first_name or "",
                    one.last_name or "",
                    one.email or "",
                    one.lms_user_id or "",
                )
                for one in gradebook.students
            ]
        return tuple(sorted(people, key=lambda one: one.id))

    def _folder(self, name: str) -> Path:
        kept = self.config.CourseDirectory.get(f"{name}_directory")
        return self.root / str(kept or name)


def is_plain(path: Path) -> bool:
    """Whether there is a file of this name only, in a folder that is no link."""
    try:
        about, folder = path.lstat(), path.parent.lstat()
    except OSError:
        return False
    plain = stat.S_ISREG(about.st_mode) and about.st_nlink == 1
    return plain and stat.S_ISDIR(folder.st_mode)


def open_room(folder: Path | None = None, *, course: Course | None = None) -> Room:
    """The room in ``folder``.

    Without a folder it is the one that ``PCN_ROOM`` names, else the current folder where it is a
    room, else ``assignments/`` of the course.

    Raises:
        RoomError: there is no room, or its configuration fails.
        CourseError: the course's files hold faults.
    """
    root = (folder or _usual(course)).absolute()
    config_file = root / CONFIG
    if not config_file.is_file():
        raise RoomError(
            f"{root} is no instructor's folder: it holds no {CONFIG}. "
            "Name the folder with --course-folder, or run this in assignments/."
        )
    if course is None:
        beside = root.parent
        course = load_course(beside if (beside / "data").is_dir() else default_root())
    try:
        config = PyFileConfigLoader(CONFIG, path=str(root)).load_config()
    except Exception as error:
        raise RoomError(
            f"{config_file} could not be run: {type(error).__name__}: {error}. "
            "Mend that line, or compare with the file that the course came with."
        ) from error
    return Room(root, course, config)


def _usual(course: Course | None) -> Path:
    if named := os.environ.get("PCN_ROOM"):
        return Path(named)
    here = Path.cwd()
    if (here / CONFIG).is_file():
        return here
    return (course.root if course else default_root()) / "assignments"


def gradebook_fault(error: BaseException, db_url: str = "") -> str:
    """Return what an error of the gradebook's database means and what to do, in plain words."""
    cause = getattr(error, "orig", None) or error
    if "locked" in str(cause):
        return HELD
    where = f" {make_url(db_url).render_as_string(hide_password=True)}" if db_url else ""
    return (
        f"The gradebook{where} can't be opened: {cause}. See that its folder exists and can be "
        "written to, or that the database server runs; then try again."
    )
