"""Laying a backup down where nothing is: byte for byte, with its times, modes and owners."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import msgspec
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from pcn_course import system
from pcn_course.admin.gradebook_copy import count_all, run_postgresql
from pcn_course.admin.manifest import (
    COURSE,
    EXCHANGE,
    WORKSPACES,
    Backup,
    BackupError,
    Entry,
    Manifest,
    measured,
)
from pcn_course.answers.store import FORMAT as ANSWERS_FORMAT
from pcn_course.characters import printable
from pcn_course.files import plain_os_error

_PARTS = (COURSE, WORKSPACES, EXCHANGE)


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What was laid down: where each part is, and what to look at."""

    folders: dict[str, Path]
    files: int
    notes: tuple[str, ...]


def verify(path: Path) -> tuple[Manifest, tuple[str, ...]]:
    """Read a backup whole and compare it with its manifest; nothing is written.

    Returns the manifest and a sentence for each thing that is not as it says.

    Raises:
        BackupError: it is no backup, or one of a newer version.
    """
    with Backup(path) as source:
        return source.manifest, source.faults()


def restore(
    path: Path,
    to: Path,
    *,
    workspaces: Path | None = None,
    exchange: Path | None = None,
    database: str | None = None,
    owners: bool | None = None,
) -> Restored:
    """Lay a backup down: ``to/course``, ``to/workspaces`` and ``to/exchange``.

    ``workspaces`` and ``exchange`` put these parts elsewhere. All of these folders must be empty or
    missing. ``database`` is the SQLAlchemy URL of an empty PostgreSQL database, for a gradebook
    that was in one. Owners are set where this runs as root, by name, else by number.

    Raises:
        BackupError: nothing was laid down, or it stopped; then begin again with empty folders.
    """
    with Backup(path) as source:
        manifest = source.manifest
        if manifest.answers_format > ANSWERS_FORMAT:
            raise BackupError(
                f"This backup holds answers of format {manifest.answers_format}, and this version "
                f"reads {ANSWERS_FORMAT}. Install pcn-course {manifest.package} or later first."
            )
        if faults := source.faults():
            raise BackupError(
                f"{path} is damaged, so nothing was restored: {faults[0]} "
                f"({len(faults)} in all). Use another backup."
            )
        folders = {
            COURSE: to / COURSE,
            WORKSPACES: workspaces or to / WORKSPACES,
            EXCHANGE: exchange or to / EXCHANGE,
        }
        used = {one: folders[one].absolute() for one in _PARTS if _has(manifest, one)}
        for folder in (to, *used.values()):
            _must_be_empty(folder)
        _check_database(manifest, database)
        try:
            files, notes = _lay_down(source, used, owners=system.is_root() and owners is not False)
            notes += _gradebook(source, used[COURSE], database, owners=owners)
        except (OSError, tarfile.TarError) as error:
            plain = plain_os_error(error) if isinstance(error, OSError) else str(error)
            raise BackupError(
                f"Restoring stopped: {plain} ({error}). Empty {to} and begin again."
            ) from error
    return Restored(folders=used, files=files, notes=(*manifest.left_out, *manifest.notes, *notes))


def _has(manifest: Manifest, part: str) -> bool:
    return any(one.path == part or one.path.startswith(f"{part}/") for one in manifest.entries)


def _must_be_empty(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BackupError(f"{folder} is no folder. Nothing was restored.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BackupError(
            f"{folder} is not empty, and a backup never overwrites anything. Name an empty folder; "
            "move things to their place when you have looked at them. Nothing was restored."
        )


def _lay_down(source: Backup, folders: dict[str, Path], *, owners: bool) -> tuple[int, list[str]]:
    """Folders, then files, then links, so that nothing is ever written through a link."""
    entries = [one for one in source.manifest.entries if one.place.split("/")[0] in folders]
    files, unknown = 0, set()

    def place(entry: Entry) -> Path:
        part, _, rest = entry.place.partition("/")
        return folders[part] / rest

    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if entry.kind == "folder":
            place(entry).mkdir(parents=True, exist_ok=True, mode=0o700)
    for entry in entries:
        if entry.kind == "file":
            path = place(entry)
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(source, entry, path)
            files += 1
    for entry in entries:
        if entry.kind == "link":
            place(entry).symlink_to(os.fsdecode(entry.raw_target) or entry.target)
    # A folder's mode may forbid writing and its time changes by it: from the inside out.
    for entry in sorted(entries, key=lambda one: one.place.count("/"), reverse=True):
        if owners and not _own(entry, place(entry)):
            unknown.add(printable(entry.user) or str(entry.uid))
        _like_before(entry, place(entry))
    notes = []
    if unknown:
        some = ", ".join(sorted(unknown)[:10])
        notes.append(f"These accounts are not on this machine; their number was kept: {some}.")
    if not owners:
        notes.append("All files belong to you now: owners can be set by root only.")
    return files, notes


def _write(source: Backup, entry: Entry, path: Path) -> None:
    with source.open(entry.path) as file:
        handle = system.open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(handle, "wb") as to:
            found = measured(file, to)
            to.flush()
            os.fsync(to.fileno())
    if found != (entry.size, entry.sha256):
        raise BackupError(f"{printable(entry.place)} changed while it was restored. Begin again.")


def _own(entry: Entry, path: Path) -> bool:
    """Give a file to whom it belonged; whether that name is known here."""
    uid = system.user_id(entry.user) if entry.user else None
    gid = system.group_id(entry.group) if entry.group else None
    system.give(path, entry.uid if uid is None else uid, entry.gid if gid is None else gid)
    return uid is not None or not entry.user


def _like_before(entry: Entry, path: Path) -> None:
    if entry.kind != "link":
        path.chmod(entry.mode)
    if os.utime in os.supports_follow_symlinks:
        os.utime(path, ns=(entry.mtime, entry.mtime), follow_symlinks=False)
    elif entry.kind != "link":
        os.utime(path, ns=(entry.mtime, entry.mtime))


# ---- The gradebook -------------------------------------------------------------------------------


def _check_database(manifest: Manifest, database: str | None) -> None:
    if manifest.gradebook.kind != "postgresql":
        return
    if database is None:
        raise BackupError(
            "This backup's gradebook is from PostgreSQL. Make an empty database there and name it "
            "with --database postgresql+psycopg://…. Nothing was restored."
        )
    engine = create_engine(database)
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        raise BackupError(f"The database can't be reached: {error} Nothing restored.") from error
    finally:
        engine.dispose()
    if tables:
        raise BackupError("The database is not empty. Make a new one. Nothing was restored.")


def _gradebook(
    source: Backup, course: Path, database: str | None, *, owners: bool | None
) -> Iterable[str]:
    about = source.manifest.gradebook
    if about.kind == "none":
        return []
    entry = next(one for one in source.manifest.entries if one.path == about.path)
    room = course / source.manifest.room
    if about.kind == "sqlite":
        path = (room / about.place).resolve()
        notes = []
        if not path.is_relative_to(course.resolve()):
            path = room / "gradebook.db"
            notes.append(
                f"The gradebook lay outside of the room ({about.place}); it is {path} now. Move "
                "it, or set db_url in nbgrader_config.py."
            )
        _write(source, entry, path)
        if system.is_root() and owners is not False:
            _own(entry, path)
        _like_before(entry, path)
        found = count_all(f"sqlite:///{path}")
    else:
        notes = ["Name the database in nbgrader_config.py (c.CourseDirectory.db_url)."]
        path = course / ".gradebook.dump"
        _write(source, entry, path)
        try:
            run_postgresql(
                "pg_restore", make_url(database or ""), "--no-owner", "--exit-on-error",
                f"--dbname={make_url(database or '').database}", str(path),
            )  # fmt: skip
        finally:
            path.unlink()
        found = count_all(database or "")
    if about.kind == "sqlite" and found != about.rows:
        raise BackupError("The gradebook's tables are not as they were. Use another backup.")
    return notes
