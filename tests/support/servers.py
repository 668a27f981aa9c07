"""The app as a student starts it: a process of its own, with a workspace of its own.

    with AppServer(tmp_path / "workspace") as server:
        page.goto(server.address)
        server.kill_kernels()
        server.restart()

Wait for things with `until`, never with sleep.
"""

from __future__ import annotations

import http.client
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import psutil

T = TypeVar("T")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\w+")


def until(look: Callable[[], T], within: float = 30.0, every: float = 0.05) -> T:
    """What ``look`` returns as soon as it is true; an AssertionError after ``within`` seconds."""
    end = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < end, f"not within {within} s: {look}"
        time.sleep(every)
    return found


def free_port() -> str:
    """A port that nobody listens on, for ``--port``."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


class Answer(NamedTuple):
    """An answer as it came, unzipped by nobody, redirects not followed."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


class AppServer:
    """``python -m pcn_course app`` over a workspace. Use it in a ``with`` statement."""

    def __init__(
        self, workspace: Path, *options: str, course: Path | None = None, **settings: str
    ) -> None:
        """Take the workspace, further options, the course's folder, and environment variables.

        No page is made ready before it is visited, which most tests would pay for and not use;
        ``PCN_WARM_PAGES="1"`` leaves the app as it is.

        Without ``--port`` among the options a free one is found, so that servers of tests that run
        side by side don't take each other's at a restart; ``--port=`` leaves it to the app.
        """
        self.workspace = workspace
        if "--port=" in options:
            self.options = tuple(option for option in options if option != "--port=")
        else:
            self.options = options if "--port" in options else (*options, "--port", free_port())
        self.flags: tuple[str, ...] = ("--no-browser",)
        self.environment = {**os.environ, "PCN_WARM_PAGES": "0", **settings}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if course:
            self.environment["PCN_COURSE"] = str(course)
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        self._logged = 0
        self.address = ""

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, whatever happened."""
        self.stop()

    def start(self, within: float = 60.0) -> Self:
        """Start the server; return when it has printed its address."""
        self.address = ""
        self.said = []
        self._logged = len(self.log)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pcn_course", "app"),
                *("--workspace", str(self.workspace), *self.flags, *self.options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            cwd=Path(__file__).parents[2],
        )
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, args=(self.process, lines), daemon=True).start()
        end = time.monotonic() + within
        while not self.address:
            try:
                line = lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                self.stop()
                raise AssertionError(f"no address within {within} s") from None
            if not line:
                self.stop()
                raise AssertionError("the server ended:\n" + "".join(self.said))
            if found := _ADDRESS.search(line):
                self.address = found[0]
        return self

    def stop(self, number: int = signal.SIGTERM, within: float = 60.0) -> int:
        """Send a signal and wait for the end; returns the exit status."""
        process, self.process = self.process, None
        if process is None:
            return 0
        kernels = _kernels_of(process.pid)
        if process.poll() is None:
            process.send_signal(number)
        try:
            status = process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"the server did not stop within {within} s") from None
        finally:
            # After a kill -9, kernels notice by themselves; after anything else they are gone.
            until(lambda: not any(psutil.pid_exists(pid) for pid in kernels), within=60)
        return status

    def kill9(self) -> None:
        """End the server as a crash would."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Crash, and start again: on the same port, as a student would."""
        if self.process:
            self.kill9()
        self.start()

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self.process, "the server does not run"
        return self.process.pid

    @property
    def port(self) -> int:
        """The port."""
        return urllib.parse.urlsplit(self.address).port or 0

    @property
    def key(self) -> str:
        """The token."""
        return self.address.partition("token=")[2]

    @property
    def log(self) -> str:
        """The server's log so far, that of earlier starts included."""
        path = self.workspace / ".pcn/server/log.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    @property
    def connections(self) -> Path:
        """The folder of the files by which the server and its kernels find each other."""
        return Path((self.workspace / ".pcn/server/connections").read_text().strip())

    def url(self, path: str) -> str:
        """The address of a page, for instance ``step-1-goals/step-1-goals.ipynb``."""
        return f"http://127.0.0.1:{self.port}/voila/render/{path}"

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        """GET ``path`` without a browser and without a cookie; redirects are not followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            if query:
                path += "?" + urllib.parse.urlencode(query)
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def kernel_pids(self) -> list[int]:
        """The process ids of all kernels: those of open pages and those kept warm."""
        return _kernels_of(self.pid)

    def kernel_of(self, page: Any) -> int:
        """The process id of the kernel that a Playwright page is joined to."""
        kernel = page.evaluate("document.documentElement.dataset.pcnKernel")
        found = re.findall(rf"Kernel {kernel} is process (\d+)", self.log)
        if found and int(found[-1]) in self.kernel_pids():
            return int(found[-1])
        raise AssertionError(f"no process runs kernel {kernel}")

    def kill_kernel(self, page: Any) -> None:
        """``kill -9`` the kernel of a Playwright page."""
        os.kill(self.kernel_of(page), signal.SIGKILL)

    def kill_kernels(self) -> None:
        """``kill -9`` all kernels."""
        for pid in self.kernel_pids():
            os.kill(pid, signal.SIGKILL)

    def wait_until_warm(self, pages: int, within: float = 90.0) -> None:
        """Wait until that many pages have been made ready for their next visitor."""
        words = "is ready for its next visitor"
        until(lambda: self.log.count(words, self._logged) >= pages, within)

    def _listen(self, process: subprocess.Popen[str], lines: queue.Queue[str]) -> None:
        assert process.stdout
        said = self.said
        for line in process.stdout:
            said.append(line)
            lines.put(line)
        lines.put("")


def _kernels_of(pid: int) -> list[int]:
    try:
        children = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for child in children:
        try:
            if any("ipykernel" in part for part in child.cmdline()):
                found.append(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found
