"""A kernel ahead of time: a Python that has loaded what every page needs, and waits to be one.

Most of the time that a kernel takes to start is spent on modules, the same for each page. Here that
has happened before the visitor comes. The process becomes an ordinary kernel when it is told its
connection file, folder and environment on a line of its standard input; at the end of that input,
which is the end of its server, it ends too.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

_COMMAND = (sys.executable, "-m", "ipykernel_launcher")
"""How the usual kernel of a course is started: only such a one can be had ahead of time."""
_LOADED = "pcn_course.widgets.step"
"""What each step's page imports: the waiting process loads it, the server never does."""
_BECOME = "from pcn_course.app.prewarm import become_kernel; become_kernel()"


class Waiting:
    """A process that waits to become a kernel."""

    def __init__(self, output: IO[bytes] | None = None) -> None:
        """Start it; what it prints goes to ``output``."""
        self.process = subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-c", _BECOME, "ipykernel"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            # By this it notices that its server is gone; a kernel reads it when it is imported.
            env={**os.environ, "JPY_PARENT_PID": str(os.getpid())},
        )
        self.taken = False

    def can_become(self, command: Sequence[str]) -> bool:
        """Whether it lives, and is what ``command`` would start."""
        return not self.taken and self.process.poll() is None and tuple(command[:3]) == _COMMAND

    def become(self, command: Sequence[str], folder: str | None, env: Mapping[str, str]) -> None:
        """Tell it which kernel it is.

        Raises:
            OSError: it has ended.
        """
        told = {"argv": list(command[2:]), "folder": folder, "env": dict(env)}
        self.taken = True
        if self.process.stdin:
            self.process.stdin.write(json.dumps(told).encode() + b"\n")
            self.process.stdin.close()

    def end(self) -> None:
        """End it, unless it has become a kernel: that one has its own manager."""
        if not self.taken:
            self.process.kill()
            self.process.communicate()


def become_kernel() -> None:
    """Load what pages need, wait to be told, then be a kernel. Runs in a process of its own."""
    if sys.path and sys.path[0] == "":
        del sys.path[0]  # as ipykernel_launcher does

    import ipywidgets
    from ipykernel import kernelapp

    from pcn_course.course import load_course

    importlib.import_module(_LOADED)
    with contextlib.suppress(Exception):  # the page tells of its faults
        load_course()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    told = json.loads(line)
    os.environ.clear()
    os.environ.update(told["env"])
    if told["folder"]:
        os.chdir(told["folder"])
    sys.argv = told["argv"]
    app = kernelapp.IPKernelApp.instance()
    app.initialize()  # type: ignore[no-untyped-call]
    # It does this by itself when it is imported in a kernel, which this was not yet.
    ipywidgets.register_comm_target()
    app.start()  # type: ignore[no-untyped-call]
