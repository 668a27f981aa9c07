"""A fork server: a process that has loaded everything, and forks a new one whenever it is asked.

Loading takes seconds and 100 MiB, and is the same for each student. Here it happens once: a child
shares that memory and is there at once. There are two kinds: the hub's, which runs as root and
forks each student's server (which becomes the student's own system user before it does anything
else), and one in each server, as that user, which forks the kernels of its pages.

A request is a line of JSON. The fork server only sees that there is one: it forks a child, which
reads the request and does it, and it writes the child's process id. So no token and no name of one
student is in the memory that the next one's server comes from. At the end of its input a fork
server ends; its children go on.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self

from pcn_course.hub.confine import confine, no_new_privileges

FOR_KERNELS = ("ipywidgets", "ipykernel.kernelapp", "pcn_course.widgets.step")
"""What the kernel of a page loads; loaded before a fork, it is there at once, in shared memory."""

Request = dict[str, Any]


class ForkServerError(Exception):
    """No child could be had."""


class ForkServer:
    """A client of a fork server; its calls may come from any thread."""

    def __init__(self, requests: IO[bytes], replies: IO[bytes]) -> None:
        self._requests = requests
        self._replies = replies
        self._one_at_a_time = threading.Lock()

    @classmethod
    def start(cls) -> Self:
        """A process for the hub, from which servers come. It is given no more than it needs."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "pcn_course.hub.forkserver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        assert process.stdin  # noqa: S101 (it was asked for)
        assert process.stdout  # noqa: S101
        return cls(process.stdin, process.stdout)

    @classmethod
    def split_off(cls, do: Callable[[Request], None], output: int) -> Self:
        """A child of this process, from which further ones come; they print to ``output``.

        Only before this process has threads or an event loop.
        """
        asked, asking = os.pipe()
        answered, answering = os.pipe()
        if os.fork() == 0:
            os.close(asking)
            os.close(answered)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.setsid()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            with os.fdopen(asked, "rb") as requests, os.fdopen(answering, "wb") as replies:
                fork_for_each(requests, replies, do)
            os._exit(0)
        os.close(asked)
        os.close(answering)
        return cls(os.fdopen(asking, "wb"), os.fdopen(answered, "rb"))

    def lives(self) -> bool:
        """Whether it is still there; it is not asked for anything."""
        line = select.poll()
        line.register(self._replies.fileno(), 0)
        return not line.poll(0)

    def ask(self, request: Request) -> int:
        """Have ``request`` done by a new process; its id.

        Raises:
            ForkServerError: the fork server is gone.
        """
        with self._one_at_a_time:
            try:
                self._requests.write(json.dumps(request).encode() + b"\n")
                self._requests.flush()
                return int(self._replies.readline())
            except (OSError, ValueError) as error:
                raise ForkServerError("the process from which others come has ended") from error


class ForkedProcess:
    """Somebody else's child, with as much of a ``Popen`` as a kernel's manager uses."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its status when it has ended: always 0, as only its parent learns the true one."""
        if self.returncode is None:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                self.returncode = 0
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the forked process has ended."""
        until = time.monotonic() + (float("inf") if timeout is None else timeout)
        while self.poll() is None:
            if time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(0.02)
        return 0

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def fork_for_each(requests: IO[bytes], replies: IO[bytes], do: Callable[[Request], None]) -> None:
    """Split off a child for each line of ``requests``, until it ends.

    A child that could not even read its line ends the fork server, and whoever asked is told.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries them
    gc.collect()
    gc.freeze()  # or the first collection in each child would copy all that is shared
    waiting = select.poll()
    waiting.register(requests.fileno(), select.POLLIN)
    while waiting.poll()[0][1] & select.POLLIN:
        reading, read = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _live(requests.fileno(), replies.fileno(), read, do)
        os.close(read)
        was_read = os.read(reading, 1)
        os.close(reading)
        if not was_read:
            return
        replies.write(b"%d\n" % pid)
        replies.flush()


def _live(requests: int, replies: int, read: int, do: Callable[[Request], None]) -> None:
    """Read a request, do it, and end: the whole life of a child."""
    status = 1
    try:
        for one in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(
                one, signal.SIG_DFL if one == signal.SIGCHLD else signal.default_int_handler
            )
        os.setsid()
        line = bytearray()
        # The next request is sent when this one was answered, so no more than it is read.
        while not line.endswith(b"\n"):
            if not (part := os.read(requests, 65_536)):
                os._exit(status)
            line += part
        os.write(read, b"1")
        for end in (requests, replies, read):
            os.close(end)
        do(json.loads(line))
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        status = end.code if isinstance(end.code, int) else int(bool(end.code))
    except BaseException:  # noqa: BLE001 (nothing may come back to the fork server's own code)
        traceback.print_exc()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def become(
    *,
    uid: int,
    gid: int,
    groups: list[int],
    folder: Path,
    umask: int,
    limits: dict[int, int],
    confined: dict[str, Any],
) -> None:
    """Be a system user from here on, for good, with limits and what `confine` is given."""
    confine(**confined)
    os.umask(umask)
    for kind, wanted in limits.items():
        hard = resource.getrlimit(kind)[1]
        amount = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (amount, amount))
    os.setgroups(groups)
    os.setgid(gid)
    os.setuid(uid)
    no_new_privileges()
    os.chdir(folder)


def _become_server(request: Request) -> None:
    limits = {int(kind): amount for kind, amount in request["limits"].items()}
    become(
        uid=request["uid"], gid=request["gid"], groups=request["groups"],
        folder=Path(request["folder"]), umask=request["umask"], limits=limits,
        confined=request["confined"],
    )  # fmt: skip
    os.environ.clear()
    os.environ.update(request["env"])
    from pcn_course.hub.singleuser import main

    main()


def _main() -> None:
    """Load all that a server and a page's kernel need, then wait."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    for name in (*FOR_KERNELS, "pcn_course.hub.singleuser"):
        importlib.import_module(name)
    with os.fdopen(requests, "rb") as asked, os.fdopen(replies, "wb") as answers:
        fork_for_each(asked, answers, _become_server)


if __name__ == "__main__":
    _main()
