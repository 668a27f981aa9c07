"""What only Unix has of an operating system, and what takes its place on Windows.

Folders are read through their handles where the system can do that (`os.supports_dir_fd`): whoever
owns them may move things meanwhile, and still can't lead a reader elsewhere. On Windows a folder is
its path, what lies in it is looked at before it is opened, and there are no owners to keep.
"""

from __future__ import annotations

import importlib
import os
import stat
from pathlib import Path
from typing import IO, Any


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


fcntl, grp, pwd, msvcrt = map(_module, ("fcntl", "grp", "pwd", "msvcrt"))
"""Modules that only one kind of system has; None on the other."""
HANDLES = hasattr(os, "O_DIRECTORY") and os.open in os.supports_dir_fd
"""True if folders have handles."""
OWNERS = hasattr(os, "chown")
"""True if files have owners and modes that say who may read them."""
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Flags of `os.open` that refuse a link, don't wait for a pipe, and leave the ends of lines."""
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
"""Flags of `os.open` that open a folder that is no link, where folders have handles."""
Folder = int | Path
"""An open folder: its handle, or its path where there are no handles."""


def open_folder(path: Path | str, folder: Folder | None = None) -> Folder:
    """Open a folder that is no link, by its path or its name in another open folder.

    Raises:
        OSError: there is none.
    """
    if HANDLES:
        return os.open(path, FOLDER, dir_fd=folder if isinstance(folder, int) else None)
    place = Path(path) if folder is None else _in(folder, str(path))
    if not stat.S_ISDIR(place.lstat().st_mode):
        raise NotADirectoryError(str(place))
    return place


def open_file(name: Path | str, flags: int = os.O_RDONLY, folder: Folder | None = None) -> int:
    """Open a file that is no link, by its path or its name in an open folder; its descriptor.

    Raises:
        OSError: there is none.
    """
    if HANDLES:
        inside = folder if isinstance(folder, int) else None
        return os.open(name, flags | NO_LINK, 0o600, dir_fd=inside)
    place = Path(name) if folder is None else _in(folder, str(name))
    if not flags & os.O_CREAT and not stat.S_ISREG(place.lstat().st_mode):
        raise FileNotFoundError(str(place))
    return os.open(place, flags | NO_LINK, 0o600)


def close(folder: Folder) -> None:
    """Close a folder, where it is a descriptor."""
    if isinstance(folder, int):
        os.close(folder)


def again(folder: Folder) -> Folder:
    """Return the same folder, to be closed by itself."""
    return os.dup(folder) if isinstance(folder, int) else folder


def names_in(folder: Folder) -> list[str]:
    """Return the names of all that lies in a folder, in their order.

    Raises:
        OSError: it can't be read.
    """
    return sorted(os.listdir(folder))  # noqa: PTH208 (of what was opened, not of a path)


def stat_of(folder: Folder, name: str | None = None) -> os.stat_result:
    """Return what is known of a folder, or of what has a name in it; a link is not followed.

    Raises:
        OSError: there is none.
    """
    if name is None:
        return os.fstat(folder) if isinstance(folder, int) else folder.lstat()
    if isinstance(folder, int):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return (folder / name).lstat()


def link_in(folder: Folder, name: str) -> str:
    """Return where a link in a folder leads.

    Raises:
        OSError: it is no link.
    """
    if isinstance(folder, int):
        return os.readlink(name, dir_fd=folder)
    return str((folder / name).readlink())


def lock(file: IO[Any]) -> bool:
    """Lock an open file as `filelock` does; False if another process holds it."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        elif msvcrt:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def sync() -> None:
    """Have everything that was written reach the disk, where one call can do that."""
    if hasattr(os, "sync"):
        os.sync()


def is_root() -> bool:
    """Return True if this process may do everything, and so give files to others."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def give(path: Path, uid: int, gid: int) -> None:
    """Give a file to an owner and a group; a link itself, not what it leads to."""
    if OWNERS:
        os.chown(path, uid, gid, follow_symlinks=False)


def user_name(uid: int) -> str:
    """Return the name of an account; empty where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name if pwd else ""
    except KeyError:
        return ""


def group_name(gid: int) -> str:
    """Return the name of a group; empty where it has none."""
    try:
        return grp.getgrgid(gid).gr_name if grp else ""
    except KeyError:
        return ""


def user_id(name: str) -> int | None:
    """Return the number of an account; None where there is no such account."""
    try:
        return pwd.getpwnam(name).pw_uid if pwd else None
    except KeyError:
        return None


def group_id(name: str) -> int | None:
    """Return the number of a group; None where there is no such group."""
    try:
        return grp.getgrnam(name).gr_gid if grp else None
    except KeyError:
        return None


def _in(folder: Folder, name: str) -> Path:
    if isinstance(folder, int):
        raise NotImplementedError("this system has no handles of folders")
    return folder / name
