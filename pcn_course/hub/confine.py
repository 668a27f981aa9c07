"""What a server gets before it becomes a student's: private places, and a place in the queue.

All of it is the kernel's own and needs root. Where the kernel refuses (a container without the
right to mount), a server starts without it; :func:`refused` says so when the settings are checked.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (they are replaced)
"""Folders that everyone on a machine may write to. A student's server sees its own instead."""
ORDER = {"student": 600, "grader": 300, "instructor": 300}
"""``oom_score_adj`` by role: who is ended first when memory runs out. Hub and proxy are below 0."""

# From <sched.h>, <sys/mount.h> and <sys/prctl.h>.
_NEW_MOUNTS = 0x0002_0000
_NO_SUID, _NO_DEVICES, _BIND, _RECURSIVE, _SLAVE = 0x2, 0x4, 0x1000, 0x4000, 0x8_0000
_NO_NEW_PRIVILEGES = 38
_STATUS = re.compile(
    rb"^Uid:\t(?P<uid>\d+).*?^RssAnon:\s+(?P<size>\d+) kB$", re.MULTILINE | re.DOTALL
)
_QUOTAS = {"usrquota", "uquota", "usrjquota", "quota", "prjquota", "pquota"}
_libc = ctypes.CDLL(None, use_errno=True)


def confine(order: int, mib: int = 0, keep: Iterable[str] = ()) -> None:
    """Set the order in which this process is ended; give it `PLACES` of its own where ``mib`` is.

    What the kernel refuses is left out, as a server without it is better than none.
    """
    with contextlib.suppress(OSError):
        take_place(order)
    if mib:
        with contextlib.suppress(OSError):
            own_places(mib, keep)


def own_places(mib: int, keep: Iterable[str]) -> None:
    """Give this process and its children `PLACES` of their own, of ``mib`` MiB together.

    The folders ``keep`` stay visible where they are below one of them.

    Raises:
        OSError: the kernel refuses; some of it may be done.
    """
    _done(_libc.unshare(_NEW_MOUNTS))
    # What the machine mounts later is seen here, and nothing from here is seen there.
    _mount(None, "/", _RECURSIVE | _SLAVE)
    below = tuple(f"{place}/" for place in PLACES)
    kept = {path: os.open(path, os.O_PATH) for path in sorted(set(keep)) if path.startswith(below)}
    first, *others = [place for place in PLACES if Path(place).is_dir()]
    about = f"size={mib}m,nr_inodes=16k,mode=1777"
    _mount("tmpfs", first, _NO_SUID | _NO_DEVICES, kind="tmpfs", about=about)
    for place in others:
        _mount(first, place, _BIND)
    for path, handle in kept.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{handle}", path, _BIND | _RECURSIVE)
        os.close(handle)


def needed() -> tuple[str, ...]:
    """Return the folders of the software itself, which no server can do without."""
    return (sys.prefix, os.path.realpath(sys.base_prefix), str(Path(__file__).parents[2]))


def take_place(order: int) -> None:
    """Set ``oom_score_adj``, which children inherit."""
    Path("/proc/self/oom_score_adj").write_text(str(order), encoding="ascii")


def no_new_privileges() -> None:
    """Let no program that this process starts gain rights, as by a set-user-id bit.

    Raises:
        OSError: the kernel refuses.
    """
    _done(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))


class Memory:
    """The memory of each user's processes, read from ``/proc`` for all users in one pass."""

    def __init__(self, every: float) -> None:
        # Seconds for which what was read is good.
        self.every = every
        self._read_at = float("-inf")
        self._by_user: dict[int, list[tuple[int, int]]] = {}
        self._one_at_a_time = threading.Lock()

    def too_much(self, uid: int, most: int) -> int:
        """Return the largest process of a user whose processes have more than ``most`` bytes; or 0.

        Memory that a process shares with the one it was split off from counts for both.
        """
        with self._one_at_a_time:
            if time.monotonic() - self._read_at > self.every:
                self._by_user = _read_memory()
                self._read_at = time.monotonic()
            processes = self._by_user.get(uid, [])
        if sum(size for size, _ in processes) <= most:
            return 0
        return max(processes)[1]


def _read_memory() -> dict[int, list[tuple[int, int]]]:
    """Return sizes in bytes and numbers of all processes by user."""
    found: dict[int, list[tuple[int, int]]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            about = _STATUS.search((folder / "status").read_bytes())
            if about:  # the kernel's own have none
                size = 1024 * int(about["size"])
                found.setdefault(int(about["uid"]), []).append((size, int(folder.name)))
    return found


def without_quotas(folder: Path) -> str:
    """Return what to do where one user can fill the disk of ``folder``; empty where none can."""
    mounts = [
        line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    ]
    above = [one for one in mounts if folder.resolve().is_relative_to(one[1])]
    place, options = max((len(one[1]), one[1], one[3]) for one in above)[1:]
    if _QUOTAS & set(re.split("[,=]", options)):
        return ""
    return (
        f"{place} keeps no quotas for users: one student's files could fill it. "
        "deploy/server/README.md, “Quotas”, gives the commands."
    )


def refused() -> str:
    """Return why a server would start without private places; empty if it would have them."""
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(OSError):
            own_places(1, ())
            status = 0
        os._exit(status)
    if os.waitpid(child, 0)[1] == 0:
        return ""
    return (
        f"Students' servers share {', '.join(PLACES)} with the machine: it does not let root mount "
        "(in a container, CAP_SYS_ADMIN is missing)."
    )


def _mount(
    source: str | None, target: str, flags: int, *, kind: str | None = None, about: str = ""
) -> None:
    words = (one.encode() if one is not None else None for one in (source, target, kind))
    _done(_libc.mount(*words, ctypes.c_ulong(flags), about.encode()), target)


def _done(result: int, name: str | None = None) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
