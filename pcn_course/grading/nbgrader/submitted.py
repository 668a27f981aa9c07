"""Reading what a student chose: plain files of known names, and nothing that they lead to.

Collecting lays down clean submissions. What was put into ``submitted/`` by hand is read as plainly:
nbgrader would copy whatever lies there, follow links to what only the instructor may read, and wait
for ever on a pipe.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from nbgrader.utils import parse_utc

from pcn_course import system
from pcn_course.answers.store import FILE, MAX_FILE
from pcn_course.characters import is_text
from pcn_course.exchange import SECRET, TIMESTAMP
from pcn_course.grading.nbgrader.progress import Progress

LIMITS = {FILE: MAX_FILE, TIMESTAMP: 1000, SECRET: 1000}
"""What a submission consists of, and how many bytes of each are read."""

_FILES: ContextVar[list[str] | None] = ContextVar("_FILES", default=None)
"""The files of the submission that autograde begins to grade; None while it does anything else."""


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


# ---- What autograde does instead of nbgrader's, see `patches` ------------------------------------


def init_assignment(
    stock: Callable[..., None], _config: Any, autograde: Any, assignment_id: str, student_id: str
) -> None:
    """Begin to grade a submission with those of its files that a submission consists of."""
    source = Path(autograde._format_source(assignment_id, student_id))  # noqa: SLF001 (its own way)
    if text := Progress.of(autograde).begin(str(source)):
        autograde.log.info(text)
    # The gradebook can't even be asked for what is no text.
    autograde.notebooks = [path for path in autograde.notebooks if is_text(path)]
    files = [str(source / name) for name in LIMITS if _is_plain(source, name)]
    before = _FILES.set(files)
    try:
        stock(autograde, assignment_id, student_id)
    finally:
        _FILES.reset(before)
    if os.path.lexists(source / FILE) and str(source / FILE) not in files:
        autograde.log.warning("There are no answers that can be read in %s", source)


def find_all_files(
    stock: Callable[..., list[str]], _config: Any, path: str, exclude: list[str] | None = None
) -> list[str]:
    """The files of the submission that `init_assignment` begins to grade; else all in a folder."""
    files = _FILES.get()
    return stock(path, exclude) if files is None else files


def init_destination(
    stock: Callable[..., bool], _config: Any, autograde: Any, assignment_id: str, student_id: str
) -> bool:
    """Whether a submission is to be graded: if it is newer, or has other answers than those graded.

    Where an LMS tells no time it is the student's clock's, and what was collected by ``--force``
    lies there and is shown, older or not.
    """
    if stock(autograde, assignment_id, student_id):
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
        again = stock(autograde, assignment_id, student_id)
    finally:
        autograde.force = force
    if again:
        autograde.log.warning("These answers are others than those graded: %s", source)
    return again


def get_existing_timestamp(
    _stock: Callable[..., Any], _config: Any, coursedir: Any, path: str
) -> dt.datetime | None:
    """When a submission came, in UTC unsaid; None where the file is none, or tells no time."""
    content = read_plainly(Path(path), TIMESTAMP, LIMITS[TIMESTAMP])
    if content is None:
        return None
    try:
        return parse_utc(content.decode().strip())  # type: ignore[no-any-return]
    except (ValueError, OverflowError):
        coursedir.log.warning("It tells no time that can be read: %s", Path(path, TIMESTAMP))
        return None


def _is_plain(folder: Path, name: str) -> bool:
    return read_plainly(folder, name, LIMITS[name]) is not None
