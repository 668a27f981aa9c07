"""Copying live folders into a backup: as they are, following no link, whole files only.

A student's answers, private answers and history of a step are read together under that step's own
lock, for which the page waits when it saves. All our other files are replaced as a whole, so one
that is open stays what it was. Folders are walked by their handles: whoever owns them may move
things meanwhile, and still can't lead the copy elsewhere.
"""

from __future__ import annotations

import contextlib
import fcntl
import grp
import io
import os
import pwd
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

from pcn_course.answers import FILE
from pcn_course.care.manifest import Entry, measured

LEFT_OUT = frozenset({"__pycache__", ".ipynb_checkpoints", ".cache"})
"""Folders that anybody can make again."""
LEFT_OUT_OF_STATE = frozenset({"locks", "server"})
"""The same of ``.pcn``: locks, and one machine's keys and ports."""
SPOOL = 8 << 20
"""Bytes of a file that are held in memory before a temporary file takes them."""
LOCK_SECONDS = 3.0
"""How long a step's lock is waited for; then its files are copied without."""


class Target:
    """Where a backup goes: a new folder, or a new tar file, that only its owner can read."""

    def __init__(self, path: Path) -> None:
        """Make it.

        Raises:
            OSError: it is there already, or can't be made.
        """
        self.path = path
        self._tar: tarfile.TarFile | None = None
        self._file: IO[bytes] | None = None
        if is_tar(path):
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
            mode: Literal["w", "w:gz"] = "w" if path.suffix == ".tar" else "w:gz"
            self._tar = tarfile.open(fileobj=self._file, mode=mode)  # noqa: SIM115
        else:
            path.mkdir(mode=0o700)

    def add(self, name: str, source: IO[bytes]) -> tuple[int, str]:
        """Write a file; its size and SHA-256 as they were written."""
        if self._tar is None:
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                return measured(source, to)
        # A tar wants the size first, and a file may grow while it is read.
        with tempfile.SpooledTemporaryFile(SPOOL) as held:
            size, digest = measured(source, held)
            held.seek(0)
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.mtime = size, 0o600, time.time()
            self._tar.addfile(member, held)
        return size, digest

    def close(self) -> None:
        """Finish it, durably."""
        if self._tar and self._file:
            self._tar.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        else:
            os.sync()


def is_tar(path: Path) -> bool:
    """Whether a backup of this name is one tar file."""
    return path.name.endswith((".tar", ".tar.gz", ".tgz"))


class Gatherer:
    """Copies folders into a target and keeps an entry of each thing in them."""

    def __init__(self, target: Target) -> None:
        """Take where the copies go."""
        self.target = target
        self.entries: list[Entry] = []
        self.notes: list[str] = []

    def folder(self, root: Path, name: str, without: frozenset[Path] = frozenset()) -> None:
        """Copy everything below ``root`` to ``name``, but not the paths in ``without``."""
        for here, folders, files, handle in os.fwalk(root, onerror=self._unreadable):
            place = Path(here)
            prefix = f"{name}/{place.relative_to(root).as_posix()}".removesuffix("/.")
            self._add(prefix, "folder", os.fstat(handle))
            for one in sorted((*folders, *files)):
                about = _stat(one, handle)
                if about is None or place / one in without or stat.S_ISDIR(about.st_mode):
                    continue
                if stat.S_ISLNK(about.st_mode):
                    target = os.readlink(one, dir_fd=handle)
                    self._add(f"{prefix}/{one}", "link", about, target=target)
                else:
                    self._plain(place / one, f"{prefix}/{one}", one, handle)
            left_out = LEFT_OUT_OF_STATE if place.name == ".pcn" else LEFT_OUT
            folders[:] = sorted(
                one for one in folders if one not in left_out and place / one not in without
            )

    def workspace(self, root: Path, name: str) -> frozenset[Path]:
        """Copy the answers of a workspace, each step at one moment; the paths that are done."""
        done: set[Path] = set()
        try:
            handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError as error:
            self._unreadable(error)
            return frozenset()
        try:
            names = os.listdir(handle)  # noqa: PTH208 (of what was opened, not of a path)
            for step in sorted(one for one in names if one.startswith("step-")):
                paths = (
                    f"{step}/{FILE}",
                    f".pcn/private/{step}.json",
                    f".pcn/history/{step}.jsonl",
                )
                held: list[tuple[str, bytes, os.stat_result]] = []
                with self._locked(handle, step, root):
                    for path in paths:
                        with contextlib.suppress(OSError), _open_beneath(handle, path) as file:
                            held.append((path, file.read(), os.fstat(file.fileno())))
                for path, content, about in held:
                    self._copy(f"{name}/{path}", io.BytesIO(content), about)
                    done.add(root / path)
        finally:
            os.close(handle)
        return frozenset(done)

    def file(self, source: Path, name: str) -> None:
        """Copy one file of our own."""
        with source.open("rb") as file:
            self._copy(name, file, os.fstat(file.fileno()))

    @contextlib.contextmanager
    def _locked(self, workspace: int, step: str, root: Path) -> Iterator[None]:
        """Hold a step's lock if it has one; a file that is not there yet is not made.

        It is taken as `filelock` takes it, but from a file that was opened safely.
        """
        try:
            file = _open_beneath(workspace, f".pcn/locks/{step}.lock", os.O_RDWR)
        except OSError:
            yield  # nothing was ever saved, or it may not be locked
            return
        with file:
            until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > until:
                        self.notes.append(f"{root}: {step} was being saved all the time; copied.")
                        break
                    time.sleep(0.005)
            yield

    def _plain(self, path: Path, name: str, one: str, handle: int) -> None:
        try:
            opened = os.open(one, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
        except FileNotFoundError:
            return  # it was there for a moment only
        except OSError as error:
            self._unreadable(error, path)
            return
        with os.fdopen(opened, "rb") as file:
            about = os.fstat(opened)
            if stat.S_ISREG(about.st_mode):
                self._copy(name, file, about)
            else:
                self.notes.append(f"{path} is no file; left out.")

    def _copy(self, name: str, source: IO[bytes], about: os.stat_result) -> None:
        size, digest = self.target.add(name, source)
        self._add(name, "file", about, size=size, sha256=digest)

    def _add(
        self,
        name: str,
        kind: Literal["file", "folder", "link"],
        about: os.stat_result,
        *,
        size: int = 0,
        sha256: str = "",
        target: str = "",
    ) -> None:
        self.entries.append(
            Entry(
                path=name,
                kind=kind,
                mode=stat.S_IMODE(about.st_mode),
                uid=about.st_uid,
                gid=about.st_gid,
                user=_user(about.st_uid),
                group=_group(about.st_gid),
                mtime=about.st_mtime_ns,
                size=size,
                sha256=sha256,
                target=target,
            )
        )

    def _unreadable(self, error: OSError, path: Path | None = None) -> None:
        where = path or error.filename
        self.notes.append(f"{where} can't be read ({error.strerror}) and is NOT in the backup.")


def _open_beneath(handle: int, path: str, flags: int = os.O_RDONLY) -> IO[bytes]:
    """Open a plain file below a folder's handle, through no link at any part of its path.

    Raises:
        OSError: there is none.
    """
    *folders, last = path.split("/")
    here = os.dup(handle)
    try:
        for one in folders:
            inside = os.open(one, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = inside
        opened = os.open(last, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise FileNotFoundError(path)
    return os.fdopen(opened, "rb" if flags == os.O_RDONLY else "rb+")


def _stat(name: str, handle: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return None


def _user(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return ""


def _group(gid: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return ""
