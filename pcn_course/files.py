"""Writing files so that they are whole or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

PRIVATE = 0o600
"""Permissions of a file that only its owner may use."""
MAX_DEPTH = 100
"""Folders within folders that are looked into. Whoever owns a folder may nest without end."""


class UserError(Exception):
    """Something can't be done; ``plain`` says why and what to do, to whoever wanted it."""

    def __init__(self, plain: str) -> None:
        super().__init__(plain)
        self.plain = plain


class StorageError(UserError):
    """Something could not be kept."""


def plain_os_error(error: OSError) -> str:
    """What a failed write means, in plain words and with the remedy."""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return (
                "There is no room left where your work is kept. "
                "Keep this page open; if it goes on, tell whoever runs the course."
            )
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return (
                "The folder where your work is kept can't be written to. "
                "Keep this page open and tell whoever runs the course."
            )
    return (
        "Your work could not be written just now. "
        "Keep this page open; if it goes on, tell whoever runs the course."
    )


def write_whole(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """Write ``content`` to ``path``: after a crash the file is the old one or the new one.

    Its permissions are ``mode``, without one those that this process gives to any new file. Folders
    that are missing are made, for their owner alone where the file is.

    Raises:
        OSError: nothing was changed.
    """
    if mode == PRIVATE:
        private_folder(path.parent)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb", opener=None if mode is None else for_owner) as file:
            if mode is not None:
                temporary.chmod(mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def for_owner(name: str, flags: int) -> int:
    """Open a file, for ``open(opener=…)``; a new one is its owner's alone."""
    return os.open(name, flags, PRIVATE)


def private_folder(path: Path) -> None:
    """Make a folder and those above it that are missing, for their owner alone."""
    missing = []
    while not path.exists():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)


def shut(root: Path) -> None:
    """Take a folder and all below it from everyone but its owner. Links are not followed.

    What belongs to someone else stays as it is.
    """
    for folder, names, files in os.walk(root):
        for path in (Path(folder), *(Path(folder, name) for name in (*names, *files))):
            with contextlib.suppress(OSError):
                mode = path.lstat().st_mode
                if mode & 0o077 and not stat.S_ISLNK(mode):
                    path.chmod(stat.S_IMODE(mode) & 0o700)


def write_private(path: Path, content: bytes) -> None:
    """As :func:`write_whole`, for what names students: a new file is `private_mode`.

    A file that is there keeps its permissions, so that whoever shares it with others does so once.

    Raises:
        OSError: nothing was changed.
    """
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        mode = private_mode()
    write_whole(path, content, mode=mode)


def walk(
    root: str | Path, fault: Callable[[str, str], None] = lambda _path, _why: None
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield each folder with the names of folders and of all else in it, as `os.walk` does.

    It follows no link, needs no deeper stack for deeper folders, and what it can't look into is
    passed over: ``fault`` gets each path and a clause that says why.
    """
    waiting = [(str(root), 0)]
    while waiting:
        here, depth = waiting.pop()
        try:
            with os.scandir(here) as entries:
                kinds = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError as error:
            fault(here, f"it can't be looked into ({error.strerror})")
            continue
        folders = sorted(name for name, is_folder in kinds.items() if is_folder)
        yield here, folders, sorted(name for name, is_folder in kinds.items() if not is_folder)
        for name in reversed(folders):
            path = os.path.join(here, name)  # noqa: PTH118 (a Path for each would cost more)
            if depth < MAX_DEPTH:
                waiting.append((path, depth + 1))
            else:
                fault(path, f"it is more than {MAX_DEPTH} folders deep")


def private_mode() -> int:
    """Who may use a new file about students: never everybody.

    Its owner; the group, too, where the umask lets it write, as those set it who share a folder.
    """
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o600 if mask & 0o020 else 0o660


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; a file system that can't do this has nothing to sync."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
