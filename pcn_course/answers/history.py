"""Earlier versions of a step's answers: a file to which each save adds lines.

It serves two ends: a student goes back to an earlier text, and a conflict between two windows
finds the text from which both started. Values that a conflict refused are kept, too (version 0).
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from pcn_course.characters import no_answer
from pcn_course.files import PRIVATE, for_owner, private_folder, write_whole

COMPACT_AT = 8_000_000
"""Bytes from which a history is thinned out."""
SHOWN = 40
"""The most earlier versions of one field that are offered."""
BURST = dt.timedelta(minutes=2)
"""Versions closer than this are one sitting, of which the last and the fullest count."""


class Entry(msgspec.Struct, frozen=True):
    """One value that a field had, or was refused (version 0), and which client wrote it."""

    key: str
    value: Any
    version: int
    saved_at: str
    client: str = ""
    seq: int = 0


class History:
    """The history of one step."""

    def __init__(self, path: Path) -> None:
        """Take the file's path; it is made with the first entry."""
        self.path = path

    def append(self, entries: Iterable[Entry]) -> None:
        """Add entries, durably.

        Raises:
            OSError: nothing was added.
        """
        lines = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        if not lines:
            return
        private_folder(self.path.parent)
        self._thin_out()
        with open(self.path, "a+b", buffering=0, opener=for_owner) as file:
            before = file.seek(0, os.SEEK_END)
            if before and _last_byte(file) != b"\n":
                lines = b"\n" + lines  # a line that a dead process left half written stays alone
            try:
                _write_all(file, lines)
                os.fsync(file.fileno())
            except OSError:
                # Half a line would make the next entry unreadable.
                file.truncate(before)
                raise

    def writer(self, key: str, version: int) -> Entry | None:
        """The entry that made ``version`` of a field the current one."""
        found = [entry for entry in self._entries() if (entry.key, entry.version) == (key, version)]
        return found[-1] if found else None

    def base(self, key: str, client: str, version: int) -> Any:
        """The newest value that a client is known to have had, if it started from ``version``.

        That is the last one that it saved itself, or the one with that version; ``None`` if
        neither is known.
        """
        newest: Entry | None = None
        for entry in self._entries():
            mine = entry.client == client and entry.version > version
            if entry.key == key and entry.version and (mine or entry.version == version):
                newest = entry
        return newest.value if newest else None

    def keys(self) -> set[str]:
        """The fields that something was written in, even if their answers are gone."""
        return {entry.key for entry in self._entries() if not no_answer(entry.value)}

    def earlier(self, key: str, current: Any) -> list[Entry]:
        """Values of a field other than the current one, worth going back to, newest first."""
        entries = [entry for entry in self._entries() if entry.key == key]
        shown: list[Entry] = []
        for entry in reversed(_worth_keeping(entries)):
            repeats = no_answer(entry.value) or entry.value == current
            if not repeats and all(entry.value != other.value for other in shown):
                shown.append(entry)
        return shown[:SHOWN]

    def _entries(self) -> Iterator[Entry]:
        """All entries in the order in which they were added; a damaged line is passed over."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            for line in file:
                try:
                    yield msgspec.json.decode(line, type=Entry)
                except (msgspec.MsgspecError, RecursionError, MemoryError, UnicodeDecodeError):
                    continue

    def _thin_out(self) -> None:
        """Rewrite a long history without what nobody would go back to."""
        if not self.path.exists() or self.path.stat().st_size < COMPACT_AT:
            return
        by_key: dict[str, list[Entry]] = {}
        for entry in self._entries():
            by_key.setdefault(entry.key, []).append(entry)
        room = COMPACT_AT // 2
        kept: list[bytes] = []
        # The newest of every field first, so that no field's past pushes out another's.
        queues = [list(reversed(_worth_keeping(entries))) for entries in by_key.values()]
        rank = 0
        while any(rank < len(queue) for queue in queues):
            for queue in queues:
                if rank < len(queue):
                    line = msgspec.json.encode(queue[rank]) + b"\n"
                    if rank < 2 or room > len(line):
                        kept.append(line)
                        room -= len(line)
            rank += 1
        write_whole(self.path, b"".join(reversed(kept)), mode=PRIVATE)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    last: bytes = file.read(1)
    return last


def _write_all(file: Any, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


def _worth_keeping(entries: list[Entry]) -> list[Entry]:
    """Of each sitting the last version, and those after which a good deal was taken away.

    Values that a conflict refused, or that came from another hand, are always kept.
    """
    followers = [*entries[1:], None]
    return [one for one, next_one in zip(entries, followers, strict=True) if _counts(one, next_one)]


def _counts(entry: Entry, following: Entry | None) -> bool:
    if following is None or not (entry.version and following.version and entry.client):
        return True
    pause = _time(following) - _time(entry)
    return pause > BURST or _loses(entry.value, following.value)


def _loses(before: Any, after: Any) -> bool:
    """Whether a good deal of ``before`` was taken away or replaced, in one place."""
    old, new = (
        value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for value in (before, after)
    )
    start = _alike(old, new)
    end = _alike(reversed(old[start:]), reversed(new[start:]))
    gone = len(old) - start - end
    return gone > 15 or gone > max(3, len(old) // 2)


def _alike(one: Iterable[str], other: Iterable[str]) -> int:
    """How many letters both begin with."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def _time(entry: Entry) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(entry.saved_at)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
