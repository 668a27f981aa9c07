"""What a backup says of itself: every file with its SHA-256, and where everything came from."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Literal, Protocol, Self

import msgspec

from pcn_course import system
from pcn_course.characters import printable
from pcn_course.files import UserError

FORMAT = 1
"""Of backups. A newer one is refused."""
MANIFEST = "manifest.json"
COURSE, EXCHANGE, WORKSPACES, GRADEBOOK = "course", "exchange", "workspaces", "gradebook"
"""The folders in a backup."""
ODD_NAMES = "odd-names"
"""The folder for files whose path is no UTF-8, by numbers; the manifest has their paths."""
_CHUNK = 1 << 20


class BackupError(UserError):
    """It was not done."""


class Readable(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file, folder or link: its path in the backup (``/`` between parts) and what it was like.

    ``mode`` are the permission bits, ``mtime`` nanoseconds since 1970; ``target`` is where a link
    leads. ``raw`` is the path, and ``raw_target`` the target, where these bytes are no UTF-8.
    """

    path: str
    kind: Literal["file", "folder", "link"]
    mode: int
    uid: int
    gid: int
    user: str = ""
    group: str = ""
    mtime: int
    size: int = 0
    sha256: str = ""
    target: str = ""
    raw: bytes = b""
    raw_target: bytes = b""

    @property
    def place(self) -> str:
        """The path under which it is restored."""
        return os.fsdecode(self.raw) if self.raw else self.path


class Gradebook(msgspec.Struct, frozen=True, kw_only=True):
    """How the gradebook is kept in the backup, and how many rows each table had.

    ``kind`` is ``sqlite`` (the database file), ``postgresql`` (what pg_dump wrote in its custom
    form) or ``none``; ``place`` is its path in the room, for SQLite.
    """

    kind: Literal["sqlite", "postgresql", "none"]
    path: str = ""
    place: str = ""
    rows: dict[str, int] = {}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. ``left_out`` are sentences about what should be in it and is not, and why.

    ``notes`` are about all else that is to be known.
    """

    format: int
    made: dt.datetime
    course: str
    room: str
    package: str
    python: str
    nbgrader: str
    answers_format: int
    origins: dict[str, str]
    gradebook: Gradebook
    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class _OnlyFormat(msgspec.Struct):
    format: int


def decode(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        BackupError: it is none, or of a newer format, or its paths lead out of the backup.
    """
    try:
        found = msgspec.json.decode(content, type=_OnlyFormat).format
        if found > FORMAT:
            raise BackupError(
                f"This backup was made by a newer version of the course (format {found}; this one "
                f"reads {FORMAT}). Install that version or a later one, then restore."
            )
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BackupError(f"The backup's {MANIFEST} can't be read: {error}.") from error
    for entry in manifest.entries:
        for path in (entry.path, entry.place):
            parts = PurePosixPath(path).parts
            if path.startswith("/") or not parts or ".." in parts or "\0" in path:
                raise BackupError(f"The backup names a file outside of itself: {printable(path)}.")
    return manifest


class Backup:
    """A backup that is there: a folder, or a tar file. Use it in a ``with`` statement."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tar: tarfile.TarFile | None = None
        self._members: dict[str, tarfile.TarInfo] = {}
        self.manifest: Manifest

    def __enter__(self) -> Self:
        """Open it and read its manifest."""
        try:
            if self.path.is_file():
                self._tar = tarfile.open(self.path)
                # By itself tarfile looks through all of them for each.
                self._members = {one.name: one for one in self._tar}
            with self.open(MANIFEST) as file:
                self.manifest = decode(file.read())
        except (OSError, KeyError, tarfile.TarError) as error:
            self.close()
            raise BackupError(
                f"{self.path} is no whole backup: its {MANIFEST} is missing or can't be read. "
                "It is written last, so a backup that was interrupted has none. Use another."
            ) from error
        except BackupError:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._tar:
            self._tar.close()

    @contextmanager
    def open(self, path: str) -> Iterator[IO[bytes]]:
        """A file of the backup.

        Raises:
            KeyError: a tar has no such file.
            OSError: a folder has none.
        """
        if self._tar:
            file = self._tar.extractfile(self._members[path])
            if file is None:
                raise KeyError(path)
            with file:
                yield file
        else:
            with os.fdopen(system.open_file(self.path / path), "rb") as plain:
                yield plain

    def faults(self) -> tuple[str, ...]:
        """What is not as the manifest says, a sentence each; nothing if all is well."""
        found = []
        for entry in self.manifest.entries:
            if entry.kind != "file":
                continue
            try:
                with self.open(entry.path) as file:
                    size, digest = measured(file)
            except (OSError, KeyError, tarfile.TarError):
                found.append(f"{printable(entry.place)} is missing or can't be read.")
                continue
            if (size, digest) != (entry.size, entry.sha256):
                found.append(f"{printable(entry.place)} is not what was backed up.")
        return tuple(found)


def measured(file: Readable, to: IO[bytes] | None = None) -> tuple[int, str]:
    """Size and SHA-256 of what is left of a file, which is copied ``to`` another on the way."""
    size, digest = 0, hashlib.sha256()
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        digest.update(chunk)
        if to:
            to.write(chunk)
    return size, digest.hexdigest()
