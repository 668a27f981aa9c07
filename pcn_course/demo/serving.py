"""Opening a made-up class: formgrader, and beside it marking and the cohort view."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pcn_course.app.launcher import HOST, PORT, ServerFolder
from pcn_course.demo.classroom import Classroom
from pcn_course.grading.notebooks import COHORT

WITHIN = 120.0
"""Seconds in which formgrader has to answer."""
_ELSE = ("jupyterlab", "notebook", "notebook_shim", "jupyter_lsp", "jupyter_server_terminals")


class ServingError(Exception):
    """Formgrader did not start; the message holds the end of its log."""


class Formgrader:
    """nbgrader's own formgrader over a room, in a process of its own. Use it in a ``with``."""

    def __init__(self, classroom: Classroom) -> None:
        """Start it; `wait` until it answers."""
        self._token = secrets.token_hex(24)
        self._port = free_port(8888)
        self._log = classroom.folder / ".demo" / "formgrader.log"
        extensions = dict.fromkeys(_ELSE, False)
        extensions["nbgrader.server_extensions.formgrader"] = True
        command = [
            sys.executable, "-P", "-m", "pcn_course.demo.formgrader",
            f"--ServerApp.ip={HOST}", f"--ServerApp.port={self._port}",
            "--ServerApp.port_retries=0", "--ServerApp.open_browser=False",
            f"--ServerApp.root_dir={classroom.room.root}",
            f"--ServerApp.jpserver_extensions={extensions}",
        ]  # fmt: skip
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--ServerApp.allow_root=True")
        with self._log.open("ab") as log:
            # In a session of its own: Ctrl-C is for us, and Jupyter would ask whether it is meant.
            self.process = subprocess.Popen(  # noqa: S603 (Jupyter, with our own settings)
                command, cwd=classroom.room.root, stdin=subprocess.PIPE, stdout=log, stderr=log,
                env={**classroom.environment, "JUPYTER_TOKEN": self._token},
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> Self:
        """Return the class that is served."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, however it takes it."""
        self.process.terminate()
        if self.process.stdin:
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def address(self) -> str:
        """Where it is, with its key."""
        return f"http://{HOST}:{self._port}/formgrader?token={self._token}"

    def wait(self) -> None:
        """Return when it answers.

        Raises:
            ServingError: it ended, or did not answer in time.
        """
        request = urllib.request.Request(
            f"http://{HOST}:{self._port}/formgrader",
            headers={"Authorization": f"token {self._token}"},
        )
        end = time.monotonic() + WITHIN
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(request, timeout=10).close()  # noqa: S310 (our own server)
                return
            time.sleep(0.1)
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        raise ServingError("\n".join(lines[-15:]))


def cohort_address(room: Path, port: int) -> str:
    """Where the cohort view will be, with the key that `serve_room` is going to use."""
    return f"http://{HOST}:{port}/voila/render/{COHORT}?token={ServerFolder(room).secret('token')}"


def free_port(wanted: int = PORT) -> int:
    """A port of this machine on which nobody listens: the one that is wanted, if possible."""
    for number in (wanted, 0):
        with contextlib.suppress(OSError), socket.create_server((HOST, number)) as listener:
            free: int = listener.getsockname()[1]
            return free
    return wanted


@contextlib.contextmanager
def opened_later(port: int, *addresses: str) -> Iterator[None]:
    """Open pages in the browser as soon as something listens on the port."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            with contextlib.suppress(OSError):
                socket.create_connection((HOST, port), timeout=1).close()
                for address in addresses:
                    with contextlib.suppress(webbrowser.Error):
                        webbrowser.open(address)
                return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        done.set()
