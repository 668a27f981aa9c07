"""What benches share: the servers that are compared, a browser, and figures said plainly."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol, Self

import psutil
from playwright.sync_api import Browser, sync_playwright

from pcn_course.course import Course
from pcn_course.workspace import Workspace
from tests.support.chromium import QUIET
from tests.support.servers import AppServer

ROOT = Path(__file__).parents[1]
_BROWSER_OPTIONS = [
    *QUIET,
    # Another host fails at once, so no figure depends on this machine's own connection.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class BenchError(Exception):
    """Something could not be measured at all. The message says what."""


class Server(Protocol):
    """A server that is measured."""

    @property
    def port(self) -> int:
        """Where it listens, on this machine."""

    @property
    def pid(self) -> int:
        """Its process; kernels are that one's children."""

    def __enter__(self) -> Self:
        """Start; the port takes connections then."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, with all kernels."""


class OurApp(AppServer):
    """The course as a student starts it."""

    def cookies(self, port: int) -> list[dict[str, Any]]:
        """What a browser holds that has signed in by way of ``port``, which is in their names."""
        answer = self.get("/", {"Host": f"127.0.0.1:{port}"}, token=self.key)
        pairs = [line.partition(";")[0] for line in answer.headers.get_all("Set-Cookie") or []]
        return [
            {"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}
            for name, _, value in (pair.partition("=") for pair in pairs)
        ]


class StockVoila:
    """``voila`` over a folder, as its documentation starts it: its own template, no settings."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the server)

    def __enter__(self) -> Self:
        """Start."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "voila", str(self.folder), "--no-browser"),
                *(f"--port={self.port}", "--Voila.port_retries=0", *self.options),
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            cwd=self.folder if self.folder.is_dir() else self.folder.parent,
        )
        end = time.monotonic() + 60
        while time.monotonic() < end and self._process.poll() is None:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 5),
            ):
                return self
            time.sleep(0.05)
        self.__exit__(None, None, None)
        raise BenchError(f"stock Voilà did not start:\n{self.log}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server and what it started."""
        process, self._process = self._process, None
        if process is None:
            return
        kernels = _below(process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for kernel in kernels:
            with contextlib.suppress(psutil.NoSuchProcess):
                kernel.kill()
        psutil.wait_procs(kernels, 10)

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise BenchError("stock Voilà does not run")
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


def keep_apart(folder: Path) -> None:
    """Let the servers that are started from now on know nothing of this machine's own settings.

    Bytecode is written and read, as it is for whoever uses the course.
    """
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        os.environ.pop(name, None)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"):
        os.environ[name] = str(folder / "jupyter")
    os.environ["PCN_COURSE"] = str(ROOT)


def workspace(folder: Path, course: Course) -> Path:
    """``folder``, filled with the course's notebooks as a student's workspace is."""
    folder.mkdir(parents=True)
    Workspace(folder).fill(course)
    return folder


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without a window."""
    named = os.environ.get("PCN_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=named, args=_BROWSER_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def busy_seconds(pids: Sequence[int]) -> float:
    """Processor time of these processes and all that they started."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [psutil.Process(pid), *_below(pid)]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    total += times.user + times.system
    return total


def wait_until_quiet(pids: Sequence[int], hold: float = 0.5, within: float = 60.0) -> None:
    """Wait until these servers and their kernels have had nothing to do for ``hold`` seconds."""
    end = time.monotonic() + within
    before = busy_seconds(pids)
    since = time.monotonic()
    while time.monotonic() - since < hold:
        time.sleep(0.15)
        after = busy_seconds(pids)
        if after - before > 0.015:
            since = time.monotonic()
        before = after
        if time.monotonic() > end:
            raise BenchError(f"the servers were still busy after {within:g} s")


def warn_of_load() -> None:
    """Say so when other programs keep this machine busy."""
    load, processors = psutil.getloadavg()[0], os.cpu_count() or 1
    if load > processors:
        say(f"This machine is busy (load {load:.0f} on {processors} processors): seconds are too")
        say("long and scatter; ratios are fairer; counts and bytes hold.")


class Figure(NamedTuple):
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """As seconds, with the smallest and the largest."""
        if not self.values:
            return "–"
        text = f"{self.median:.2f} s"
        if len(self.values) > 1:
            text += f" ({min(self.values):.2f}–{max(self.values):.2f})"
        return text


def kilobytes(size: float) -> str:
    """A number of bytes in thousands or millions, with three digits that mean something."""
    if size >= 999_500:
        return f"{size / 1e6:.2f} MB"
    return f"{size / 1000:.1f} KB"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side; the first is the names of the rows."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "  ".join(
            cell.ljust(width) for cell, width in zip(cells, widths, strict=True)
        ).rstrip()

    return "\n".join([line(head), "  ".join("─" * width for width in widths), *map(line, rows)])


def say(text: str = "") -> None:
    """Print at once, so that a reader of a pipe sees it, too."""
    print(text, flush=True)


def _below(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found
