"""A system user for each person who logs in, and the folders that belong to that user alone.

Names come from outside (an LMS, a list of names), so no name is ever used as a system user as it
is: with the class's prefix before it, nobody becomes ``root`` or ``www-data`` by choosing a name.
Everything here runs as root, so it follows no links and changes no folder that it did not make.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pwd
import re
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple

from pcn_course.exchange import STUDENT_ID
from pcn_course.hub.settings import Settings

_SIMPLE = re.compile(r"(?!x-|teacher$)[a-z0-9][a-z0-9-]{0,19}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
# The system's own range ends after some 900, which is one class after the other. These are free on
# Debian and Ubuntu: people are counted from 1000 up, and systemd's own begin above 60000.
_NUMBERS = ("SYS_UID_MIN=20000", "SYS_UID_MAX=59999", "SYS_GID_MIN=20000", "SYS_GID_MAX=59999")
_adding = threading.Lock()


class AccountError(Exception):
    """Somebody can't be given an account or folders. The message says why."""


class Account(NamedTuple):
    """A system user of the class: name, ids and home."""

    name: str
    uid: int
    gid: int
    home: Path


def account_name(settings: Settings, name: str) -> str:
    """The system user of whoever logs in as ``name``; the same one each time.

    Raises:
        AccountError: no folder may have this name.
    """
    if not re.fullmatch(STUDENT_ID, name):
        raise AccountError(
            f"“{name}” can't be used here: letters, digits, dots, hyphens, underscores and @ can."
        )
    if _SIMPLE.fullmatch(name):
        return f"{settings.prefix}-{name}"
    return f"{settings.prefix}-x-{hashlib.sha256(name.encode()).hexdigest()[:20]}"


def student_account(settings: Settings, name: str) -> Account:
    """The account of a student, made when it is missing, with home and exchange folders.

    Raises:
        AccountError: it can't be made.
    """
    home = settings.students / name
    account = add_account(settings, name)
    owned_folder(settings.base, home, 0o700, account.uid, account.gid)
    return account


def add_account(settings: Settings, name: str | None) -> Account:
    """A student's system user, or with no name that of those who teach, without any folder.

    Raises:
        AccountError: it can't be made.
    """
    if name is None:
        return _user(f"{settings.prefix}-teacher", settings.teachers)
    return _user(account_name(settings, name), settings.students / name)


def teacher_account(settings: Settings) -> Account:
    """The one account with which all who teach work; marks name the person, by the hub's name."""
    account = add_account(settings, None)
    owned_folder(settings.base, settings.teachers, 0o700, account.uid, account.gid)
    return account


def owned_folder(base: Path, path: Path, mode: int, uid: int, gid: int) -> None:
    """Make a folder below ``base`` that is ``uid``'s; one that is there already must be so.

    The way from ``base`` to it is gone by handles: of the folders between, some belong to those who
    teach, and a link that they put there would lead root anywhere.

    Raises:
        AccountError: something else has this name, or a link is on the way.
    """
    *between, name = path.relative_to(base).parts
    try:
        at = os.open(base, _FOLDER)
        try:
            for one in between:
                before, at = at, os.open(one, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
                os.close(before)
            made = _make(at, name)
            folder = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
        finally:
            os.close(at)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP):
            raise AccountError(
                f"{path} is there already and is no folder, or a link is on the way. Move it away."
            ) from error
        raise AccountError(f"{path}: {error.strerror}") from error
    try:
        about = os.fstat(folder)
        if made and about.st_uid == os.geteuid():  # and nothing that was put in its place
            os.fchown(folder, uid, gid)
            os.fchmod(folder, mode)
        elif (about.st_uid, about.st_gid) != (uid, gid):
            raise AccountError(
                f"{path} is there already and belongs to somebody else. Move it away."
            )
    finally:
        os.close(folder)


def _make(at: int, name: str) -> bool:
    try:
        os.mkdir(name, mode=0o700, dir_fd=at)
    except FileExistsError:
        return False
    return True


def _user(name: str, home: Path) -> Account:
    with _adding:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            _add(name, home)
            found = pwd.getpwnam(name)
    if found.pw_uid == 0:
        raise AccountError(f"{name} is the system's administrator")
    return Account(name, found.pw_uid, found.pw_gid, home)


def _add(name: str, home: Path) -> None:
    command = [
        *("useradd", "--system", "--user-group", "--no-create-home"),
        *("--shell", "/usr/sbin/nologin", "--home-dir", str(home)),
        *(part for one in _NUMBERS for part in ("--key", one)),
        name,
    ]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except FileNotFoundError:
        raise AccountError("useradd is missing: this needs Linux with system users.") from None
    except subprocess.CalledProcessError as error:
        raise AccountError(f"{name} could not be added: {error.stderr.strip()}") from error
