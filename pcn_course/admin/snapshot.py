"""Copying live folders into a backup: as they are, following no link, whole files only.

A student's answers, private answers and history of a step are read together under that step's own
lock, for which the page waits when it saves. All our other files are replaced as a whole, so one
that is open stays what it was. Folders are walked by their handles: whoever owns them may move
things meanwhile, and still can't lead the copy elsewhere.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from pcn_course import system
from pcn_course.admin.manifest import ODD_NAMES, Entry
from pcn_course.admin.target import Target, TargetError
from pcn_course.answers.store import FILE, MAX_FILE
from pcn_course.characters import is_text, printable
from pcn_course.files import MAX_DEPTH

LEFT_OUT = frozenset({"__pycache__", ".ipynb_checkpoints", ".cache"})
"""Folders that anybody can make again."""
LEFT_OUT_OF_STATE = frozenset({"locks", "server"})
"""The same of ``.pcn``: locks, and one machine's keys and ports."""
LOCK_SECONDS = 3.0
"""How long a workspace's locks are waited for; then its files are copied without."""
STEPS = 100
"""The most folders of steps in a workspace that are copied under their lock."""
LARGEST, EACH = 500_000_000, 2_000_000_000
"""Bytes of one file and of all files that are copied of one person: a sparse file has any size."""
MOST = 100_000
"""Files and folders that are copied of one person."""
LONGEST_PATH = 2_000
"""Bytes of a path in a backup, which has to fit below the folder in which it is restored."""
FEW = 20
"""Lines for what is left out in one place; then the rest is counted."""
_OF_THE_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""Errors of writing that say that a disk has no such names."""


class _NotRead(Exception):  # noqa: N818 (it stands for the error in it)
    """Reading the source failed, and not writing the copy."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Source:
    """A file as far as it went when it was opened: one that grows meanwhile has an end."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int, /) -> bytes:
        try:
            content = self._file.read(min(size, self._left))
        except OSError as error:
            raise _NotRead(error) from error
        self._left -= len(content)
        return content


class Gatherer:
    """Copies folders into a target and keeps an entry of each thing in them.

    ``left_out`` has a sentence for each thing that should be in the backup and is not; one place
    with many of them has the first ones and a sum.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.entries: list[Entry] = []
        self.notes: list[str] = []
        self._lines: dict[str, list[str]] = {}
        self._more: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._count: Counter[str] = Counter()

    @property
    def left_out(self) -> list[str]:
        """What is not in the backup and why."""
        lines = [line for several in self._lines.values() for line in several]
        sums = [f"{count:,} more in {place} are NOT in the backup."
                for place, count in self._more.items()]  # fmt: skip
        return lines + sums

    def leave_out(self, path: Path, why: str, place: str = "") -> None:
        """Note that ``path`` is not in the backup; ``why`` is a clause."""
        lines = self._lines.setdefault(place, [])
        if len(lines) < FEW:
            lines.append(f"{printable(path)} {why} and is NOT in the backup.")
        else:
            self._more[printable(place)] += 1

    def folder(
        self, root: Path, name: str, without: frozenset[Path] = frozenset(), own: int = 0
    ) -> None:
        """Copy everything below ``root`` to ``name``, but not the paths in ``without``.

        Paths belong to somebody by their first ``own`` parts in the backup, and of each of them so
        much is copied as `EACH`, `MOST` and `LARGEST` say; with 0 all of it.
        """
        waiting: list[tuple[str, ...]] = [()]
        while waiting:
            parts = waiting.pop()
            try:
                handle = _open_folder(root, parts)
            except OSError as error:
                if not parts or not isinstance(error, FileNotFoundError):
                    self._unreadable(error, root.joinpath(*parts), name)
                continue
            try:
                inside = self._one_folder(handle, root, parts, name, without, own)
            except OSError as error:  # while it was read, and not while a copy was written
                self._unreadable(error, root.joinpath(*parts), name)
                continue
            finally:
                system.close(handle)
            waiting += ((*parts, one) for one in reversed(inside))

    def _one_folder(
        self,
        handle: system.Folder,
        root: Path,
        parts: tuple[str, ...],
        name: str,
        without: frozenset[Path],
        own: int,
    ) -> list[str]:
        """Copy what lies directly in a folder; the folders in it that are to follow."""
        place = root.joinpath(*parts)
        prefix = "/".join((name, *parts))
        self._add(prefix, "folder", system.stat_of(handle))
        folders = []
        for one in system.names_in(handle):
            about = _stat(one, handle)
            if about is None or place / one in without:
                continue
            is_folder = stat.S_ISDIR(about.st_mode)
            if is_folder and one in (LEFT_OUT_OF_STATE if place.name == ".pcn" else LEFT_OUT):
                continue
            whose = "/".join((*name.split("/"), *parts, one)[:own]) if own else ""
            if why := self._too_much(f"{prefix}/{one}", len(parts), about, whose):
                self.leave_out(place / one, why, whose or name)
            elif is_folder:
                folders.append(one)
            elif stat.S_ISLNK(about.st_mode):
                target = system.link_in(handle, one)
                self._add(f"{prefix}/{one}", "link", about, target=target)
            else:
                self._plain(place / one, f"{prefix}/{one}", one, handle, whose)
        return folders

    def _too_much(self, name: str, depth: int, about: os.stat_result, whose: str) -> str:
        """Why something is left out before it is opened; "" where it is not."""
        if len(os.fsencode(name)) > LONGEST_PATH:
            return f"has a path of more than {LONGEST_PATH:,} bytes"
        if depth >= MAX_DEPTH and stat.S_ISDIR(about.st_mode):
            return f"is more than {MAX_DEPTH} folders deep"
        if not whose:
            return ""
        size = about.st_size if stat.S_ISREG(about.st_mode) else 0
        if size > LARGEST:
            return f"is larger than {LARGEST // 1_000_000:,} MB"
        if self._bytes[whose] + size > EACH:
            return f"is beyond the {EACH // 1_000_000:,} MB that are copied of one person"
        if self._count[whose] >= MOST:
            return f"is beyond the {MOST:,} files that are copied of one person"
        self._bytes[whose] += size
        self._count[whose] += 1
        return ""

    def workspace(self, root: Path, name: str) -> frozenset[Path]:
        """Copy the answers of a workspace, each step at one moment; the paths that are done."""
        done: set[Path] = set()
        try:
            handle = system.open_folder(root)
        except OSError as error:
            self._unreadable(error, root, name)
            return frozenset()
        until = time.monotonic() + LOCK_SECONDS
        try:
            names = system.names_in(handle)
            steps = [one for one in names if one.startswith("step-")][:STEPS]
            for step in steps:
                paths = (
                    f"{step}/{FILE}",
                    f".pcn/private/{step}.json",
                    f".pcn/history/{step}.jsonl",
                )
                held: list[tuple[str, bytes, os.stat_result]] = []
                with self._locked(handle, step, root, until):
                    for path in paths:
                        with contextlib.suppress(OSError), _open_beneath(handle, path) as file:
                            about = os.fstat(file.fileno())
                            # What is longer was not written by us, and is copied as other files.
                            if about.st_size <= MAX_FILE and not self._too_much(
                                f"{name}/{path}", 0, about, "/".join(name.split("/")[:2])
                            ):
                                held.append((path, file.read(MAX_FILE), about))
                for path, content, about in held:
                    self._copy(root / path, f"{name}/{path}", io.BytesIO(content), about, name)
                    done.add(root / path)
        finally:
            system.close(handle)
        return frozenset(done)

    def file(self, source: Path, name: str) -> None:
        """Copy one file of our own."""
        with source.open("rb") as file:
            self._copy(source, name, file, os.fstat(file.fileno()), name)

    @contextlib.contextmanager
    def _locked(
        self, workspace: system.Folder, step: str, root: Path, until: float
    ) -> Iterator[None]:
        """Hold a step's lock if it has one; a file that is not there yet is not made.

        It is taken as `filelock` takes it, but from a file that was opened safely.
        """
        try:
            file = _open_beneath(workspace, f".pcn/locks/{step}.lock", os.O_RDWR)
        except OSError:
            yield  # nothing was ever saved, or it may not be locked
            return
        with file:
            while True:
                if system.lock(file):
                    break
                if time.monotonic() > until:
                    self.notes.append(
                        f"{printable(root)}: {step} was being saved all the time; copied."
                    )
                    break
                time.sleep(0.005)
            yield

    def _plain(self, path: Path, name: str, one: str, handle: system.Folder, whose: str) -> None:
        try:
            opened = system.open_file(one, folder=handle)
        except FileNotFoundError:
            return  # it was there for a moment only
        except OSError as error:
            self._unreadable(error, path, whose)
            return
        with os.fdopen(opened, "rb") as file:
            about = os.fstat(opened)
            if stat.S_ISREG(about.st_mode):
                self._copy(path, name, file, about, whose)
            else:
                self.notes.append(f"{printable(path)} is no file; left out.")

    def _copy(
        self, path: Path, name: str, source: IO[bytes], about: os.stat_result, whose: str
    ) -> None:
        """Write a copy; only a target that takes nothing more ends the backup."""
        stored = self._stored(name)
        try:
            size, digest = self.target.add(stored, _Source(source, about.st_size))
        except _NotRead as failed:
            self._unreadable(failed.error, path, whose)
        except OSError as error:
            if error.errno not in _OF_THE_NAME:
                raise TargetError(error) from error
            self.leave_out(path, f"has a name that can't be written ({error.strerror})", whose)
        else:
            self._add(name, "file", about, size=size, sha256=digest, stored=stored)

    def _stored(self, name: str) -> str:
        """The path in the backup: ``name`` itself, unless it is no UTF-8."""
        return name if is_text(name) else f"{ODD_NAMES}/{len(self.entries)}"

    def _add(
        self,
        name: str,
        kind: Literal["file", "folder", "link"],
        about: os.stat_result,
        *,
        size: int = 0,
        sha256: str = "",
        target: str = "",
        stored: str = "",
    ) -> None:
        self.entries.append(
            Entry(
                path=stored or self._stored(name),
                kind=kind,
                mode=stat.S_IMODE(about.st_mode),
                uid=about.st_uid,
                gid=about.st_gid,
                user=system.user_name(about.st_uid),
                group=system.group_name(about.st_gid),
                mtime=about.st_mtime_ns,
                size=size,
                sha256=sha256,
                target=target if is_text(target) else printable(target),
                raw=b"" if is_text(name) else os.fsencode(name),
                raw_target=b"" if is_text(target) else os.fsencode(target),
            )
        )

    def _unreadable(self, error: OSError, path: Path, place: str) -> None:
        self.leave_out(path, f"can't be read ({error.strerror})", place)


def _open_folder(root: Path, parts: tuple[str, ...]) -> system.Folder:
    """Open a folder below ``root``, through no link at any part of its path.

    Raises:
        OSError: there is none.
    """
    here = system.open_folder(root)
    for one in parts:
        try:
            inside = system.open_folder(one, here)
        finally:
            system.close(here)
        here = inside
    return here


def _open_beneath(handle: system.Folder, path: str, flags: int = os.O_RDONLY) -> IO[bytes]:
    """Open a plain file below a folder's handle, through no link at any part of its path.

    Raises:
        OSError: there is none.
    """
    *folders, last = path.split("/")
    here = system.again(handle)
    try:
        for one in folders:
            inside = system.open_folder(one, here)
            system.close(here)
            here = inside
        opened = system.open_file(last, flags, here)
    finally:
        system.close(here)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError(path)
    return os.fdopen(opened, "rb" if flags == os.O_RDONLY else "rb+")


def _stat(name: str, handle: system.Folder) -> os.stat_result | None:
    try:
        return system.stat_of(handle, name)
    except OSError:
        return None
