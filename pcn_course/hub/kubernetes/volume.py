"""The folders of a class in containers: one volume, one user id, and a part of it for each pod.

:mod:`pcn_course.hub.kubernetes.pods` has what a pod mounts. A container that sees the whole volume,
and ends, makes the folders before: ``python -m pcn_course.hub.kubernetes.volume`` with

    class COURSE          once, before the class
    student COURSE NAME   at each start of a student's server
    teacher COURSE NAME   at each start of a teacher's
    backup FILE           each night
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pcn_course.files import plain_os_error
from pcn_course.hub.kubernetes.pods import BASE, NAME

if TYPE_CHECKING:
    from pcn_course.admin.backup import Made

_GRADEBOOK = """
import os  # noqa: E402

# Kubernetes puts it here, from a secret.
if url := os.environ.get("PCN_GRADEBOOK"):
    c.CourseDirectory.db_url = url
"""


class VolumeError(Exception):
    """The folders can't be made. The message says why."""


def lay_out(base: Path, course_id: str) -> None:
    """Make the class's folders that are missing; without a course it is the installed one, copied.

    Raises:
        VolumeError: something else has one of these names, or the course has another id.
        CourseError: the course has faults.
    """
    from pcn_course.course import default_root, load_course
    from pcn_course.grading.notebooks import write_room_notebooks
    from pcn_course.hub.layout import CONFIG

    course = base / "course"
    _folder(course, 0o755)
    for part in ("data", "notebooks"):
        if not (course / part).exists():
            shutil.copytree(default_root() / part, course / part)
    found = load_course(course).id
    if found != course_id:
        raise VolumeError(
            f"The course in {course} has the id “{found}”, not “{course_id}”: "
            "write it into custom.pcn.course of the chart's values."
        )
    room = course / "assignments"
    config = room / "nbgrader_config.py"
    _folder(room, 0o700)
    if not config.exists():
        text = CONFIG.format(exchange=str(Path(BASE, "exchange")))
        config.write_text(text + _GRADEBOOK, encoding="utf-8")
        write_room_notebooks(room)
    for name in ("students", "teachers", "exchange"):
        _folder(base / name, 0o755)
    exchange = base / "exchange" / course_id
    for folder in (exchange, *(exchange / name for name in ("outbound", "inbound", "feedback"))):
        _folder(folder, 0o755)


def welcome(base: Path, course_id: str, name: str, *, teaches: bool = False) -> None:
    """Make somebody's folders that are missing.

    Raises:
        VolumeError: something else has one of these names.
    """
    for one in (course_id, name):
        if not re.fullmatch(NAME, one):
            raise VolumeError(f"“{one}” can't be a folder's name here.")
    if teaches:
        _folder(base / "teachers" / name, 0o700)
        return
    exchange = base / "exchange" / course_id
    for folder in (
        base / "students" / name,
        exchange / "inbound" / name,
        exchange / "feedback" / name,
    ):
        _folder(folder, 0o700)


def back_up(base: Path, file: Path) -> Made:
    """Back the class up to a new ``file``.

    Raises:
        BackupError: there is no backup.
        CourseError: the course has faults.
    """
    from pcn_course.admin.backup import backup
    from pcn_course.hub.backup import room_without_its_configuration
    from pcn_course.hub.settings import Settings

    places = Settings(folder=str(base))
    room = room_without_its_configuration(places, os.environ.get("PCN_GRADEBOOK", ""))
    return backup(room, file, exchange=places.exchange, workspaces=places.students)


def main() -> None:
    """Do what the command line says."""
    os.umask(0o022)
    base = Path(os.environ.get("PCN_BASE", BASE))
    try:
        match sys.argv[1:]:
            case ["class", course_id]:
                lay_out(base, course_id)
            case ["student" | "teacher" as kind, course_id, name]:
                welcome(base, course_id, name, teaches=kind == "teacher")
            case ["backup", file]:
                made = back_up(base, Path(file))
                said = f"Written and verified: {made.files} files."
                sys.stdout.write("\n".join((*made.left_out, *made.notes, said, "")))
                sys.exit(int(bool(made.left_out)))
            case _:
                sys.exit(
                    "Say: class COURSE, student COURSE NAME, teacher COURSE NAME, or backup FILE"
                )
    except OSError as error:
        sys.exit(f"{error.filename or base}: {plain_os_error(error)}")
    except Exception as error:  # noqa: BLE001 (a pod's log shows one line, not where it was in here)
        sys.exit(str(error))


def _folder(path: Path, mode: int) -> None:
    """Make a folder; what is there already must be one, and no link to another."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if not stat.S_ISDIR(path.lstat().st_mode):
            raise VolumeError(f"{path} is no folder. Move it away.") from None
        return
    path.chmod(mode)


if __name__ == "__main__":
    main()
