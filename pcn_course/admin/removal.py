"""What a purge removes: pieces of files, and how each goes so that the rest stays as it is."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import msgspec

from pcn_course import system
from pcn_course.files import walk, write_whole

Unit = Literal["files", "rows", "lines", "entries"]

LARGEST = 64_000_000
"""Bytes of a file that a purge looks into; a larger one is named, to be looked at."""
_TOO_DEEP = (errno.ENAMETOOLONG, errno.EMFILE, errno.ENFILE)


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """One student: the id, other ids of theirs by kind of column, names, and the pseudonym."""

    id: str
    others: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    pseudonym: str | None = None

    @property
    def spelled(self) -> re.Pattern[str]:
        """Finds the student's id and names as words of their own."""
        words = sorted({self.id, *self.names, *self.others}, key=len, reverse=True)
        # A number or a few letters stand in too many places to tell anything.
        telling = [one for one in words if len(one) > 2 and not one.isdigit()]
        return word({self.id, *telling})


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """Something to remove: of which kind, where, how much of it; ``remove`` does it."""

    kind: str
    path: Path
    count: int
    unit: Unit
    remove: Callable[[], None]


def word(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of ``words`` where no letter or digit touches it."""
    joined = "|".join(re.escape(one) for one in words)
    return re.compile(rf"(?<![^\W_])(?:{joined})(?![^\W_])", re.IGNORECASE)


def tree(kind: str, path: Path) -> Piece:
    """A file or a folder with everything in it."""
    return Piece(
        kind=kind, path=path, count=_files_in(path), unit="files", remove=lambda: remove(path)
    )


def remove(path: Path) -> None:
    """Remove a file, a link (not what it leads to) or a folder; nothing is wrong if it is gone."""
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
            return
        try:
            shutil.rmtree(path)
        except (RecursionError, OSError) as error:
            too_deep = isinstance(error, RecursionError) or error.errno in _TOO_DEEP
            if not too_deep or not system.HANDLES:
                raise
            _flatten(path)
            shutil.rmtree(path)
    except FileNotFoundError:
        if os.path.lexists(path):  # something in it went at the same time
            remove(path)


def _flatten(top: Path) -> None:
    """Bring every folder below ``top`` directly into it, and remove all else.

    A path may be deeper than the system lets anybody name: it is taken apart from above.
    """
    handle = os.open(top, system.FOLDER)
    try:
        waiting = system.names_in(handle)
        while waiting:
            try:
                inside = os.open(waiting.pop(), system.FOLDER, dir_fd=handle)
            except (NotADirectoryError, FileNotFoundError):
                continue
            except OSError as error:
                if error.errno == errno.ELOOP:
                    continue
                raise
            try:
                with os.scandir(inside) as entries:
                    found = [(one.name, one.is_dir(follow_symlinks=False)) for one in entries]
                for name, is_folder in found:
                    if is_folder:
                        waiting.append(secrets.token_hex(16))
                        os.rename(name, waiting[-1], src_dir_fd=inside, dst_dir_fd=handle)
                    else:
                        os.unlink(name, dir_fd=inside)
            finally:
                os.close(inside)
    finally:
        os.close(handle)


def _files_in(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return 1
    return sum(len(files) for _, _, files in walk(path)) or 1


def files_below(root: Path, ending: str = "") -> list[Path]:
    """What lies below a folder and is neither a folder nor a link, by how its name ends."""
    return sorted(
        path
        for here, _, names in walk(root)
        for name in names
        if name.endswith(ending) and not (path := Path(here, name)).is_symlink()
    )


def without_lines(kind: str, path: Path, count: int, unit: Unit, content: bytes) -> Piece:
    """A file that stays, without ``count`` of its lines."""
    return Piece(
        kind=kind, path=path, count=count, unit=unit, remove=lambda: rewrite(path, content)
    )


def rewrite(path: Path, content: bytes) -> None:
    """Write a file anew, with the mode and owner that it has."""
    about = path.stat()
    write_whole(path, content)
    path.chmod(about.st_mode & 0o7777)
    if system.is_root():
        system.give(path, about.st_uid, about.st_gid)
