"""Where a backup goes: a new folder, or a new tar file."""

from __future__ import annotations

import os
import tarfile
import tempfile
import time
from pathlib import Path
from typing import IO, Literal

from pcn_course import system
from pcn_course.admin.manifest import Readable, measured

SPOOL = 8 << 20
"""Bytes of a file that are held in memory before a temporary file takes them."""


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

    def add(self, name: str, source: Readable) -> tuple[int, str]:
        """Write a file; its size and SHA-256 as they were written."""
        if self._tar is None:
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with os.fdopen(opened, "wb") as to:
                    return measured(source, to)
            except BaseException:
                path.unlink()
                raise
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
            system.sync()


def is_tar(path: Path) -> bool:
    """Whether a backup of this name is one tar file."""
    return path.name.endswith((".tar", ".tar.gz", ".tgz"))


class TargetError(Exception):
    """A copy could not be written, so there is no backup. ``error`` says why."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error
