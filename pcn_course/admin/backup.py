"""A backup of a whole course while it runs: gradebook, room, workspaces, exchange.

In this order: what the gradebook knows was collected before, so the files are at least as new; and
a receipt in a workspace means that the exchange has what was handed in, so the exchange is later.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import shutil
import tempfile
from importlib import metadata
from pathlib import Path

import msgspec
from sqlalchemy.engine import make_url

import pcn_course
from pcn_course import system
from pcn_course.admin.as_owner import as_its_owner, is_others
from pcn_course.admin.database import database_file
from pcn_course.admin.gradebook_copy import copy_gradebook, count_all, run_postgresql
from pcn_course.admin.locations import Places, find_workspaces, places_of
from pcn_course.admin.manifest import (
    COURSE,
    EXCHANGE,
    FORMAT,
    GRADEBOOK,
    MANIFEST,
    WORKSPACES,
    Backup,
    BackupError,
    Gradebook,
    Manifest,
)
from pcn_course.admin.snapshot import Gatherer
from pcn_course.admin.target import Target, TargetError
from pcn_course.answers.store import FORMAT as ANSWERS_FORMAT
from pcn_course.files import plain_os_error, write_whole
from pcn_course.grading.gradebook.room import Room

BACKUPS = Path(".pcn", "backups.json")
"""In the room: where backups were made, so that a purge can name them."""

INCOMPLETE = (
    "The backup is verified but incomplete: it doesn't include the items listed above. Copy them "
    "yourself if they matter."
)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was made and verified."""

    path: Path
    files: int
    size: int
    workspaces: int
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def backup(
    room: Room, target: Path, *, exchange: Path | None = None, workspaces: Path | None = None
) -> Made:
    """Write a backup to ``target``, a new folder, or a new file ``….tar`` or ``….tar.gz``.

    It may be made while students type and graders mark. ``exchange`` is the exchange's root and
    ``workspaces`` the folder of all workspaces, see `places_of`. What could not be copied is in
    ``left_out``, a sentence each; the rest is there.

    Raises:
        BackupError: there is no backup; a part of it that was begun is removed.
        PlacesError: a folder that was named is not there.
    """
    places = places_of(room, exchange=exchange, workspaces=workspaces)
    target = target.absolute()
    inside = [one for one in (places.room, places.workspaces, places.exchange) if one]
    if any(target.is_relative_to(one) for one in inside):
        raise BackupError(
            f"{target} is in what is backed up. Name a folder elsewhere, best on another disk."
        )
    try:
        to = Target(target)
    except OSError as error:
        raise BackupError(
            f"{target} can't be made ({error.strerror}). A backup never replaces anything: name "
            "a folder or file that is not there yet."
        ) from error
    try:
        manifest, count = _write(room, places, to)
        to.close()
        with Backup(target) as made:
            faults = made.faults()
    except (OSError, TargetError) as failed:
        why = failed.error if isinstance(failed, TargetError) else failed
        _remove(target)
        raise BackupError(f"{target}: {plain_os_error(why)} Nothing was backed up.") from failed
    except BaseException:
        _remove(target)
        raise
    if faults:
        raise BackupError(f"{target} can't be relied on: {faults[0]} Look at the disk.")
    notes = list(manifest.notes)
    try:
        _remember(room, target)
    except OSError as error:  # the backup is good, all the same
        notes.append(
            f"A purge can't name this backup, as {room.root / BACKUPS} can't be written ({error}). "
            "Move away what is there."
        )
    files = [one for one in manifest.entries if one.kind == "file"]
    return Made(
        path=target,
        files=len(files),
        size=sum(one.size for one in files),
        workspaces=count,
        notes=tuple(notes),
        left_out=manifest.left_out,
    )


def _write(room: Room, places: Places, to: Target) -> tuple[Manifest, int]:
    gatherer = Gatherer(to)
    gradebook = _gradebook(room, gatherer)
    root = room.root.resolve()  # a folder is walked by itself, never through a link
    exchange, workspaces = (
        one.resolve() if one else None for one in (places.exchange, places.workspaces)
    )
    origins = {COURSE: str(root.parent)}
    without = {root / BACKUPS, *(one for one in (exchange, workspaces) if one)}
    if database := database_file(room.db_url):
        kept = database.resolve()
        without |= {kept.with_name(f"{kept.name}{end}") for end in _SQLITE_FILES}
    gatherer.folder(root, f"{COURSE}/{root.name}", frozenset(without))
    for name in ("data", "notebooks"):  # by them the room can be opened where it is restored
        if (root.parent / name).is_dir():
            gatherer.folder((root.parent / name).resolve(), f"{COURSE}/{name}")
    count = 0
    if workspaces:
        origins[WORKSPACES] = str(workspaces)
        done: set[Path] = set()
        for one in find_workspaces(workspaces):
            if one.home.is_symlink() or one.root.is_symlink():
                gatherer.leave_out(one.root, "is reached by a link", WORKSPACES)
                continue
            place = one.root.relative_to(workspaces).as_posix()
            done |= gatherer.workspace(one.root, f"{WORKSPACES}/{place}".removesuffix("/."))
            count += 1
        gatherer.folder(workspaces, WORKSPACES, frozenset(done), own=2)
    else:
        gatherer.notes.append("No workspaces were named, so none are in this backup.")
    if exchange:
        origins[EXCHANGE] = str(exchange)
        gatherer.folder(exchange, f"{EXCHANGE}/{exchange.name}", own=4)
    else:
        gatherer.notes.append("No exchange was found, so none is in this backup.")
    manifest = Manifest(
        format=FORMAT,
        made=dt.datetime.now(dt.UTC),
        course=room.course_id,
        room=root.name,
        package=pcn_course.__version__,
        python=platform.python_version(),
        nbgrader=metadata.version("nbgrader"),
        answers_format=ANSWERS_FORMAT,
        origins=origins,
        gradebook=gradebook,
        entries=tuple(gatherer.entries),
        notes=tuple(gatherer.notes),
        left_out=tuple(gatherer.left_out),
    )
    with tempfile.TemporaryFile() as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.seek(0)
        to.add(MANIFEST, file)
    return manifest, count


# ---- The gradebook -------------------------------------------------------------------------------

_SQLITE_FILES = ("", "-journal", "-wal", "-shm")


def _gradebook(room: Room, gatherer: Gatherer) -> Gradebook:
    url = make_url(room.db_url)
    file = database_file(room.db_url)
    with tempfile.TemporaryDirectory(prefix="pcn-backup-") as folder:
        copy = Path(folder, "gradebook")
        if file is not None:
            if not file.exists():
                gatherer.notes.append("There is no gradebook yet.")
                return Gradebook(kind="none")
            name = f"{GRADEBOOK}/gradebook.db"
            copy_gradebook(room, file, copy)
            rows = count_all(f"sqlite:///{copy}")
            shutil.copystat(file, copy)
            if system.is_root():
                system.give(copy, file.stat().st_uid, file.stat().st_gid)
            gatherer.file(copy, name)
            place = os.path.relpath(file, room.root)
            return Gradebook(kind="sqlite", path=name, place=place, rows=rows)
        if url.get_backend_name() == "postgresql":
            name = f"{GRADEBOOK}/gradebook.dump"
            run_postgresql("pg_dump", url, "--format=custom", "--no-owner", f"--file={copy}")
            gatherer.file(copy, name)
            return Gradebook(kind="postgresql", path=name, rows=count_all(room.db_url))
    raise BackupError(
        f"The gradebook is a {url.get_backend_name()} database, which can't be backed up from "
        "here. Use SQLite or PostgreSQL, or that database's own tools."
    )


# ---- Afterwards ----------------------------------------------------------------------------------


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)


def _remember(room: Room, target: Path) -> None:
    """Note where the backup is: who is purged later has a right to know of it.

    Raises:
        OSError: it can't be written.
    """
    path = room.root / BACKUPS
    made = f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
    content = msgspec.json.encode([*backups_of(room), {"path": str(target), "made": made}])
    if is_others(room):
        as_its_owner(room, "write", path, content)
    else:
        write_whole(path, content)


def backups_of(room: Room) -> list[dict[str, str]]:
    """The backups of a room that are still there, oldest first: of each ``path`` and ``made``.

    One below a folder that this account may not enter, as those of a server are, counts as there.
    """
    path = room.root / BACKUPS
    try:
        content = as_its_owner(room, "read", path) if is_others(room) else path.read_bytes()
        noted = msgspec.json.decode(content, type=list[dict[str, str]])
    except (OSError, msgspec.MsgspecError, RecursionError):
        return []
    return [backup for backup in noted if _may_be_there(backup.get("path", ""))]


def _may_be_there(path: str) -> bool:
    try:
        os.stat(path)  # noqa: PTH116 (`Path.exists` says no in some versions where it may not look)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True
