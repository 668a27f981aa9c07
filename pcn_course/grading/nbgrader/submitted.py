"""Reading what a student chose: plain files of known names, and nothing that they lead to.

Collecting lays down clean submissions. What was put into ``submitted/`` by hand is read as plainly:
nbgrader would copy whatever lies there, follow links to what only the instructor may read, and wait
for ever on a pipe.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde, base
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from pcn_course import system
from pcn_course.answers import FILE, MAX_FILE
from pcn_course.characters import is_text
from pcn_course.exchange import SECRET, TIMESTAMP
from pcn_course.grading.progress import Progress

LIMITS = {FILE: MAX_FILE, TIMESTAMP: 1000, SECRET: 1000}
"""What a submission consists of, and how many bytes of each are read."""

_init_assignment = Autograde.init_assignment
_init_destination = Autograde.init_destination


def read_plainly(folder: Path, name: str, limit: int) -> bytes | None:
    """A file's content if it is a plain file of at most ``limit`` bytes, and nothing else's name.

    A submission could hold a link to what only the instructor may read.
    """
    try:
        inside = system.open_folder(folder)
        try:
            with os.fdopen(system.open_file(name, folder=inside), "rb") as file:
                about = os.fstat(file.fileno())
                if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
                    return None
                content = file.read(limit + 1)
        finally:
            system.close(inside)
    except OSError:
        return None
    return content if len(content) <= limit else None


def take_answers_alone() -> None:
    """Let autograding take of a submission's folder what a submission consists of, if it is new."""
    Autograde.init_assignment = _init
    Autograde.init_destination = _is_to_be_graded
    CourseDirectory.get_existing_timestamp = _timestamp


def _init(autograde: Any, assignment_id: str, student_id: str) -> None:
    """As nbgrader's, which copies all that lies beside a notebook; here only what is known."""
    source = Path(autograde._format_source(assignment_id, student_id))  # noqa: SLF001 (its own way)
    if told := Progress.of(autograde).begin(str(source)):
        autograde.log.info(told)
    # The gradebook can't even be asked for what is no text.
    autograde.notebooks = [one for one in autograde.notebooks if is_text(one)]
    with _finding([str(source / name) for name in LIMITS if _is_plain(source, name)]):
        _init_assignment(autograde, assignment_id, student_id)
    if os.path.lexists(source / FILE) and not _is_plain(source, FILE):
        autograde.log.warning("There are no answers that can be read in %s", source)


def _is_to_be_graded(autograde: Any, assignment_id: str, student_id: str) -> bool:
    """As nbgrader's, which goes by the time alone; other answers are new whatever time they tell.

    Where an LMS tells no time it is the student's clock's, and what was collected by ``--force``
    lies there and is shown, older or not.
    """
    if _init_destination(autograde, assignment_id, student_id):
        return True
    source = Path(autograde._format_source(assignment_id, student_id))  # noqa: SLF001 (its own way)
    graded = Path(autograde._format_dest(assignment_id, student_id))  # noqa: SLF001
    answers = read_plainly(source, FILE, LIMITS[FILE])
    if answers is None and os.path.lexists(source / FILE):
        return False  # what can't be read takes nobody's marks away
    if answers == read_plainly(graded, FILE, LIMITS[FILE]):
        return False
    force, autograde.force = autograde.force, True
    try:
        again = bool(_init_destination(autograde, assignment_id, student_id))
    finally:
        autograde.force = force
    if again:
        autograde.log.warning("These answers are others than those graded: %s", source)
    return again


def _timestamp(coursedir: Any, path: str) -> Any:
    """As nbgrader's; without a time where the file is none, or tells none."""
    content = read_plainly(Path(path), TIMESTAMP, LIMITS[TIMESTAMP])
    if content is None:
        return None
    try:
        return parse_utc(content.decode().strip())
    except (ValueError, OverflowError):
        coursedir.log.warning("It tells no time that can be read: %s", Path(path, TIMESTAMP))
        return None


def _is_plain(folder: Path, name: str) -> bool:
    return read_plainly(folder, name, LIMITS[name]) is not None


@contextmanager
def _finding(files: list[str]) -> Iterator[None]:
    """Let nbgrader find these files only, while it looks for what lies beside a notebook."""
    finds = base.find_all_files
    base.find_all_files = lambda *_: files
    try:
        yield
    finally:
        base.find_all_files = finds
