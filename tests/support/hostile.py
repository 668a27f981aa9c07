"""Names, depth and size of files that nobody expects, and that a student can lay into a folder.

Remove such a folder by `pcn_course.admin.removal.remove`: neither `shutil` nor pytest can.
"""

from __future__ import annotations

import os
from pathlib import Path

from pcn_course.admin import snapshot

ODD = os.fsdecode(b"caf\xe9\x1b[2J.txt")
"""A name that is no UTF-8, and that a terminal would obey."""
DEPTH = 1500
"""Folders in folders: more than a stack has frames, and a longer path than the system takes."""


def lay_what_stops_a_copy(home: Path) -> None:
    """Names, depth and size that nobody expects, in a student's folder."""
    (home / ODD).write_text("Latin-1")
    inside = home / os.fsdecode(b"d\xe9")
    inside.mkdir()
    (inside / "plain.txt").write_text("plain")
    (inside / "link").symlink_to(os.fsdecode(b"\xff"))
    (home / "a\nforged line\x1b[1A").write_text("forged")
    with (home / "huge").open("wb") as file:
        file.truncate(snapshot.LARGEST + 1)
    lay_deep_folders(home)


def lay_deep_folders(home: Path) -> None:
    """Make ``deeper``, and folders in it without end."""
    here = os.open(home, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("deeper", dir_fd=here)
        inside = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inside
    os.close(here)
