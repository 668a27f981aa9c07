"""What a server counts: saves and how long they take, pages, kernels. Numbers, and nothing else.

It keeps them in a small file in its folder, for the hub to add up (`metrics`). Whose file it is may
write what they like into it, so it is read as what it may be and no more: a short file of that one
kind, with numbers in it.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from bisect import bisect_left
from pathlib import Path
from typing import Annotated, Any

import msgspec

FILE = ".pcn-counts.json"
STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds at which the counts of how long something took are told apart; above is one more."""
_LARGEST = 4096

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
_Row = Annotated[list[_Number], msgspec.Meta(min_length=len(STEPS) + 1, max_length=len(STEPS) + 1)]


def _row() -> list[int]:
    return [0] * (len(STEPS) + 1)


class Times(msgspec.Struct, forbid_unknown_fields=True):
    """How often something took how long."""

    row: _Row = msgspec.field(default_factory=_row)
    total: _Seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.row[bisect_left(STEPS, seconds)] += 1
        self.total += seconds


class Counts(msgspec.Struct, forbid_unknown_fields=True):
    """What one server has seen since it first ran, and what is open in it."""

    failed: _Number = 0
    """Saves that were refused."""
    saves: Times = msgspec.field(default_factory=Times)
    """From a page's message to the word that it is on disk, as the server sees both pass."""
    kernels_started: _Number = 0
    made: Times = msgspec.field(default_factory=Times)
    """From a visit to a whole page, the start of its kernel included."""
    kernels: _Number = 0
    pages: _Number = 0
    at: _Seconds = 0.0

    def keep(self, folder: Path) -> None:
        """Write them down; a disk that is full is no reason to stop."""
        self.at = time.time()
        path = folder / FILE
        new = path.with_suffix(".new")
        with contextlib.suppress(OSError):
            new.write_bytes(msgspec.json.encode(self))
            new.replace(path)


def read_counts(path: Path) -> Counts | None:
    """A server's counts; ``None`` where there are none, or something else has this name."""
    try:
        # A link leads nowhere, and a pipe holds nobody up.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        return msgspec.json.decode(os.read(file, _LARGEST), type=Counts)
    except (OSError, msgspec.MsgspecError):
        return None
    finally:
        os.close(file)


# ---- What passes by on a page's line -------------------------------------------------------------


class _Content(msgspec.Struct):
    type: str = ""
    client: str = ""
    seq: int = 0


class _Data(msgspec.Struct):
    content: _Content | None = None


class _Inner(msgspec.Struct):
    data: _Data | None = None


class _Header(msgspec.Struct):
    msg_type: str = ""


class _Message(msgspec.Struct):
    header: _Header
    content: _Inner | None = None


class _Kind(msgspec.Struct):
    header: _Header


_SAVING = {"save", "give", "say"}
_SAVED = {"ack", "standing", "conflict"}
_REFUSED = {"refused", "problem"}
_read_kind = msgspec.json.Decoder(_Kind)
_read_message = msgspec.json.Decoder(_Message)


def kind_of(message: Any) -> str:
    """Of which type a page's message is; nothing for what is no message."""
    try:
        return _read_kind.decode(message).header.msg_type
    except (msgspec.MsgspecError, TypeError):
        return ""


class Saves:
    """The saves on one page's line that still wait for their answer."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._waiting: dict[tuple[str, int], float] = {}

    def asked(self, message: Any) -> None:
        """A message goes to the kernel."""
        content = _content(message)
        if content and content.type in _SAVING and len(self._waiting) < 1000:
            # One that is sent again has waited since it was sent first.
            self._waiting.setdefault((content.client, content.seq), time.monotonic())

    def answered(self, message: Any) -> None:
        """A message comes from the kernel."""
        content = _content(message) if self._waiting else None
        if content is None or content.type not in _SAVED | _REFUSED:
            return
        began = self._waiting.pop((content.client, content.seq), None)
        if began is None:
            return
        if content.type in _REFUSED:
            self._counts.failed += 1
        else:
            self._counts.saves.add(time.monotonic() - began)


def _content(message: Any) -> _Content | None:
    try:
        read = _read_message.decode(message)
    except (msgspec.MsgspecError, TypeError):
        return None
    if read.header.msg_type != "comm_msg" or not read.content or not read.content.data:
        return None
    return read.content.data.content
