"""A process in which the course's own code meets what Windows has of an operating system.

    python -m tests.support.windows imports          # each module of the package, its fault if any
    python -m tests.support.windows pcn doctor …     # a command
    python -m tests.support.windows nbgrader …       # one of nbgrader's, with the course's settings

It is a simulation on this system: modules that only Unix has can't be imported by `pcn_course`, and
the `os` and `signal` that it gets lack what Windows lacks. Packages by others meet this system, as
they choose their ways by its name.
"""

from __future__ import annotations

import builtins
import fcntl
import importlib
import json
import os
import pkgutil
import signal
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

MODULES = frozenset({
    "crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog",
    "termios", "tty",
})  # fmt: skip
LACKING = {
    "os": frozenset({
        "O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "WNOHANG",
        "chown", "chroot", "ctermid", "fchdir", "fchmod", "fchown", "fork", "forkpty", "fstatvfs",
        "fwalk", "getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp",
        "getpriority", "getresuid", "getsid", "getuid", "initgroups", "killpg", "lchmod", "lchown",
        "lockf", "mkfifo", "mknod", "nice", "openpty", "pipe2", "posix_spawn", "pread", "pwrite",
        "register_at_fork", "sched_getaffinity", "sched_setaffinity", "sendfile", "setegid",
        "seteuid", "setgid", "setgroups", "setpgid", "setpriority", "setresuid", "setsid", "setuid",
        "statvfs", "sync", "sysconf", "ttyname", "uname", "wait", "wait3", "wait4", "writev",
    }),
    "signal": frozenset({
        "ITIMER_REAL", "SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP",
        "SIGUSR1", "SIGUSR2", "alarm", "pause", "pthread_sigmask", "setitimer", "siginterrupt",
        "sigtimedwait", "sigwait",
    }),
}  # fmt: skip
_Real = {"os": os, "signal": signal}
_import, _import_module = builtins.__import__, importlib.import_module


class Lacking(ModuleType):
    """A module without what Windows' own lacks."""

    def __getattr__(self, name: str) -> Any:
        if name in LACKING[self.__name__]:
            raise AttributeError(f"Windows has no {self.__name__}.{name}")
        if name in ("supports_dir_fd", "supports_fd", "supports_follow_symlinks"):
            return set()
        if (self.__name__, name) == ("os", "open"):
            return _open
        return getattr(_Real[self.__name__], name)


def _open(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if Path(path).is_dir():
        raise PermissionError(13, "Permission denied", str(path))
    return os.open(path, flags, mode)


def _msvcrt() -> ModuleType:
    """Windows' own locks, kept here by those of this system."""
    made = ModuleType("msvcrt")
    made.LK_NBLCK = 2  # type: ignore[attr-defined]
    made.locking = lambda handle, _how, _bytes: fcntl.flock(  # type: ignore[attr-defined]
        handle, fcntl.LOCK_EX | fcntl.LOCK_NB
    )
    return made


def simulate() -> None:
    """Let `pcn_course` meet Windows from here on. It must not have been imported yet."""
    assert "pcn_course" not in sys.modules
    given: dict[str, ModuleType] = {name: Lacking(name) for name in LACKING}
    given["msvcrt"] = _msvcrt()

    def own(depth: int = 2) -> bool:
        return str(sys._getframe(depth).f_globals.get("__name__", "")).startswith("pcn_course")

    def importing(name: str, *arguments: Any, **options: Any) -> Any:
        if own():
            if name in MODULES:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in given:
                return given[name]
        return _import(name, *arguments, **options)

    def import_module(name: str, package: str | None = None) -> ModuleType:
        if own() and name in MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if own() and name in given:
            return given[name]
        return _import_module(name, package)

    builtins.__import__ = importing
    importlib.import_module = import_module


def imports() -> dict[str, str]:
    """Each module of the package with what importing it raised; empty where that went well."""
    package = _import_module("pcn_course")
    told = {}
    names = [one.name for one in pkgutil.walk_packages(
        package.__path__, "pcn_course.", onerror=lambda _name: None
    )]  # fmt: skip
    for name in names:
        if name.endswith("__main__"):
            continue
        try:
            _import_module(name)
        except BaseException as error:  # noqa: BLE001 (whatever it is, it is told)
            told[name] = f"{type(error).__name__}: {error}"
        else:
            told[name] = ""
    return told


def main(what: str, *arguments: str) -> None:
    """Do one thing as the module's words say."""
    simulate()
    if what == "imports":
        print(json.dumps(imports()))
        return
    sys.argv = [what, *arguments]
    if what == "pcn":
        _import_module("pcn_course.cli").main()
    else:
        _import_module("nbgrader.apps.nbgraderapp").main()


if __name__ == "__main__":
    main(*sys.argv[1:])
