"""Backing up a class on a server, and laying it down on a new one. Both run as root.

``python -P -m pcn_course.hub.backup back-up|restore hub.toml FOLDER``: the folder holds the class
(`pcn_course.admin`), the hub's database with who may log in, and the settings. The room's
configuration belongs to those who teach, so root never runs it: a process of theirs says where the
gradebook is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
from traitlets.config import Config

from pcn_course.admin import restore as restoring
from pcn_course.admin.backup import INCOMPLETE, Made, backup
from pcn_course.admin.database import database_file
from pcn_course.admin.locations import PlacesError
from pcn_course.admin.manifest import WORKSPACES, Backup, BackupError
from pcn_course.characters import printable
from pcn_course.course import CourseError, load_course
from pcn_course.exchange import STUDENT_ID
from pcn_course.files import plain_os_error
from pcn_course.grading.gradebook.room import Room
from pcn_course.hub.accounts import Account, AccountError, add_account, teacher_account
from pcn_course.hub.layout import lay_out
from pcn_course.hub.settings import Settings, SettingsError, read_settings

CLASS, DATABASE = "class.tar.gz", "hub.sqlite"
"""The files in the folder; the settings lie there by the names that they have."""
_ASK = """
import json, os
from traitlets.config.loader import PyFileConfigLoader
found = PyFileConfigLoader("nbgrader_config.py", path=os.getcwd()).load_config()
told = found.get("CourseDirectory", {}).get("db_url", "")
print("\\n" + json.dumps(told if isinstance(told, str) else ""))
"""


def back_up(settings_file: Path, folder: Path) -> Made:
    """Back up a class that may go on meanwhile, to a new folder that only root can enter.

    Raises:
        BackupError: there is no backup.
        SettingsError, CourseError, AccountError, PlacesError: as their names say.
    """
    settings = read_settings(settings_file)
    room = _room(settings, teacher_account(settings))
    try:
        folder.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise BackupError(
            f"{folder}: {plain_os_error(error)} Name a folder that is new."
        ) from error
    try:
        made = backup(
            room, folder / CLASS, exchange=settings.exchange, workspaces=settings.students
        )
        if settings.database.exists():
            with (
                closing(sqlite3.connect(settings.database)) as live,
                closing(sqlite3.connect(folder / DATABASE)) as copy,
            ):
                live.backup(copy)
        for one in (settings_file, settings_file.with_name("jupyterhub_config.py")):
            if one.is_file():
                shutil.copy2(one, folder)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{folder} is not whole: {error}. Remove it and begin again.") from error
    return made


def restore(settings_file: Path, folder: Path) -> restoring.Restored:
    """Lay a class down where none is: accounts first, so that all belongs to whom it belonged.

    Raises:
        BackupError: nothing was laid down, or it stopped: empty the class's folder, begin again.
        SettingsError, CourseError, AccountError: as their names say.
    """
    settings = read_settings(settings_file)
    with Backup(folder / CLASS) as source:
        entries = source.manifest.entries
    if settings.base.is_dir() and any(settings.base.iterdir()):
        raise BackupError(f"{settings.base} is not empty. Move what is there away first.")
    # Their numbers may be others on this machine: it is by names that files find their owners.
    beside = {one.place.split("/")[1] for one in entries if one.place.startswith(f"{WORKSPACES}/")}
    homes = {name for name in beside if re.fullmatch(STUDENT_ID, name)}
    for name in sorted(homes):
        add_account(settings, name)
    teacher = add_account(settings, None)
    done = restoring.restore(
        folder / CLASS, settings.base, workspaces=settings.students, exchange=settings.exchange
    )
    if settings.exchange.is_dir():
        os.chown(settings.exchange, teacher.uid, teacher.gid)
    settings.base.chmod(0o755)
    lay_out(settings)
    if (folder / DATABASE).exists():
        shutil.copyfile(folder / DATABASE, settings.database)
        settings.database.chmod(0o600)
    # lost+found, somebody's list.
    notes = [
        f"{settings.students / name} is nobody's home, so no account was made for it."
        for name in sorted(beside - homes)
    ]
    return msgspec.structs.replace(done, notes=(*done.notes, *notes))


def _room(settings: Settings, teacher: Account) -> Room:
    """The room, by what its own configuration says of the gradebook and by nothing else of it."""
    try:
        asked = subprocess.run(  # noqa: S603 (our own Python, as the account of those who teach)
            [sys.executable, "-P", "-c", _ASK], user=teacher.uid, group=teacher.gid,
            extra_groups=[], cwd=settings.room, env={"HOME": str(teacher.home), "PATH": os.defpath},
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        url = json.loads(asked.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise BackupError(
            f"{settings.room / 'nbgrader_config.py'} can't be run: {error}. Mend it; nothing was "
            "backed up."
        ) from error
    room = room_without_its_configuration(settings, url)
    file = database_file(room.db_url)
    if file is not None and not file.resolve().is_relative_to(settings.room.resolve()):
        raise BackupError(f"The gradebook {file} is outside of {settings.room}. Move it there.")
    return room


def room_without_its_configuration(settings: Settings, url: str) -> Room:
    """Return the room with its gradebook at ``url``, or where it usually is if that is empty.

    Those who teach can write ``nbgrader_config.py``, so nobody with more rights runs it.

    Raises:
        CourseError: the course has faults.
    """
    course = load_course(settings.course)
    config = Config()
    config.CourseDirectory.course_id = course.id
    if url:
        config.CourseDirectory.db_url = url
    return Room(settings.room, course, config)


def main() -> None:
    """Run ``back-up`` or ``restore`` from the command line."""
    try:
        act, settings_file, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
        what = {"back-up": "Written and verified", "restore": "Restored"}[act]
        done: Made | restoring.Restored
        done = (
            back_up(settings_file, folder) if act == "back-up" else restore(settings_file, folder)
        )
    except (IndexError, KeyError):
        sys.exit("Say: backup back-up /etc/pcn/hub.toml NEW-FOLDER, or backup restore … FOLDER")
    except (BackupError, PlacesError, SettingsError) as error:
        sys.exit(error.plain)
    except (AccountError, CourseError, OSError) as error:
        sys.exit(str(error))
    left_out = done.left_out if isinstance(done, Made) else ()
    for note in (*left_out, *done.notes):
        sys.stderr.write(f"{printable(note, 2_000)}\n")
    sys.stdout.write(f"{what}: {done.files} files.\n")
    if left_out:
        sys.exit(INCOMPLETE)


if __name__ == "__main__":
    main()
