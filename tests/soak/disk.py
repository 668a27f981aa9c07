"""A small disk of its own for a workspace, that can be filled."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = "48m"


class NoSmallDiskError(Exception):
    """This machine gives us none; the message says why."""


@contextmanager
def small_disk() -> Iterator[Path]:
    """A folder that is a file system of a few megabytes in memory.

    Raises:
        NoSmallDiskError: mounting is not possible here.
    """
    if sys.platform != "linux":
        raise NoSmallDiskError("a disk in memory can only be mounted on Linux")
    if os.geteuid() != 0:
        raise NoSmallDiskError("mounting a disk in memory takes root")
    folder = Path(tempfile.mkdtemp(prefix="pcn-small-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "pcn-small-disk", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoSmallDiskError(f"mounting is not allowed here: {done.stderr.strip()}")
        try:
            yield folder
        finally:
            if subprocess.run(["umount", str(folder)], check=False).returncode:
                subprocess.run(["umount", "--lazy", str(folder)], check=False)
    finally:
        with suppress(OSError):
            folder.rmdir()


def fill(folder: Path) -> Path:
    """Fill the disk to the last byte; removing the file that is returned frees it."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            block = b"\0" * size
            with suppress(OSError):
                while file.write(block) == size:
                    pass
    return ballast
