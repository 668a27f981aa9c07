"""The folders of a class on one server, and whose they are. Everything here runs as root."""

from __future__ import annotations

import shutil

from pcn_course.course import Course, default_root, load_course
from pcn_course.hub.accounts import Account, owned_folder, student_account, teacher_account
from pcn_course.hub.settings import Settings

CONFIG = '''"""nbgrader for this course, on a server: run its commands in this folder."""

from pathlib import Path

from pcn_course.grading.config import configure
from pcn_course.hub.exchange import use_personal_folders

c = get_config()  # noqa: F821 (nbgrader provides it)
configure(c, here=Path(__file__))
use_personal_folders(c, {exchange!r})
'''


def lay_out(settings: Settings) -> Course:
    """Make all folders of the class that are missing; return its course.

    Without a course in ``base/course`` it is the installed one, copied.

    Raises:
        AccountError: something else has one of these names.
        CourseError: the course has faults.
    """
    settings.base.mkdir(mode=0o755, parents=True, exist_ok=True)
    teacher = teacher_account(settings)
    owned_folder(settings.base, settings.state, 0o700, 0, 0)
    # Homes are entered by their name; nobody lists who is in the class.
    owned_folder(settings.base, settings.students, 0o711, 0, 0)
    if not settings.course.exists():
        for part in ("data", "notebooks"):
            shutil.copytree(default_root() / part, settings.course / part)
    course = load_course(settings.course)
    _make_room(settings, teacher)
    # One who teaches opens and closes steps here; students read and enter, and list nothing else.
    owned_folder(settings.base, settings.exchange, 0o755, teacher.uid, teacher.gid)
    folder = settings.exchange / course.id
    owned_folder(settings.base, folder, 0o755, teacher.uid, teacher.gid)
    for name, mode in (("outbound", 0o755), ("inbound", 0o711), ("feedback", 0o711)):
        owned_folder(settings.base, folder / name, mode, teacher.uid, teacher.gid)
    return course


def welcome(settings: Settings, course: Course, name: str) -> Account:
    """A student's account, home, and folders in the exchange; made when they are missing.

    Raises:
        AccountError: they can't be made.
    """
    teacher = teacher_account(settings)
    student = student_account(settings, name)
    folder = settings.exchange / course.id
    # The group comes from the folder, so that the instructor can read and clear away.
    owned_folder(settings.base, folder / "inbound" / name, 0o2770, student.uid, teacher.gid)
    owned_folder(settings.base, folder / "feedback" / name, 0o2750, teacher.uid, student.gid)
    return student


def _make_room(settings: Settings, teacher: Account) -> None:
    """The instructor's room; one that is there is left as it is, but for whose it is."""
    from pcn_course.grading.notebooks import write_room_notebooks

    room = settings.room
    if room.exists() and room.lstat().st_uid == teacher.uid:
        return
    room.mkdir(exist_ok=True)
    config = room / "nbgrader_config.py"
    if not config.exists():
        config.write_text(CONFIG.format(exchange=str(settings.exchange)), encoding="utf-8")
        write_room_notebooks(room)
    room.chmod(0o700)
    for path in (*room.rglob("*"), room):
        shutil.chown(path, teacher.uid, teacher.gid)
