"""Serve a workspace or a room: find a port, keep the keys, open the browser, stop cleanly.

Everything that must outlive a restart, so that pages left open come back, lies in its
``.pcn/server/``, readable by its owner alone: the key, the secret behind the cookies, the port, the
address, and the log.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import socket
import tempfile
import threading
import time
import urllib.parse
import webbrowser
from collections.abc import Iterator, Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, NamedTuple, Protocol

import click
import filelock

from pcn_course.app.prewarm import Waiting
from pcn_course.assets import PAGES, ROOM_PAGES, asset
from pcn_course.course import Course
from pcn_course.files import plain_os_error

PORT = 8866
HOST = "127.0.0.1"
"""This machine alone: the pages are for the person who sits at it."""
SHARE = Path(__file__).parents[1] / "share" / "jupyter"
_STATE = Path(".pcn", "server")
_TEMPORARY = "pcn-kernels-"
_LET_GO_WITHIN = 10.0


class AppError(click.ClickException):
    """The course could not be opened. The message says why and what to do."""


class ServerFolder:
    """``.pcn/server`` of a workspace or a room: what one start leaves for the next.

    Whatever can't be written is an `AppError`.
    """

    def __init__(self, workspace: Path) -> None:
        """Make the folder if it is missing."""
        self.workspace = workspace
        self.path = workspace / _STATE
        with self.writing():
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)

    @property
    def log(self) -> Path:
        """The server's log; what kernels print stands in ``kernels.txt`` beside it."""
        return self.path / "log.txt"

    @contextlib.contextmanager
    def connections(self) -> Iterator[Path]:
        """A folder for the files by which the server and its kernels find each other.

        It is among the machine's temporary files, so that pages open even where the workspace is
        full. What a crash left there is removed.
        """
        left = Path(self.read("connections") or ".")
        if left.name.startswith(_TEMPORARY):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_TEMPORARY, ignore_cleanup_errors=True) as path:
            with contextlib.suppress(AppError):
                self.write("connections", path)
            yield Path(path)

    def secret(self, name: str) -> str:
        """A random word kept under ``name``, made when it is missing or too short."""
        kept = self.read(name)
        if len(kept) < 32:
            kept = secrets.token_hex(24)
            self.write(name, kept)
        with self.writing():
            self._path(name).chmod(0o600)
        return kept

    def read(self, name: str) -> str:
        """What was written under ``name``, or nothing."""
        try:
            return self._path(name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, name: str, text: str) -> None:
        """Keep a line for the next start; nothing is written when it is there."""
        if self.read(name) != text:
            with self.open(name) as file, self.writing():
                file.write(text.encode() + b"\n")
                file.flush()

    def open(self, name: str) -> IO[bytes]:
        """A file that only its owner can read, from its beginning."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with self.writing():
            return os.fdopen(os.open(self._path(name), flags, 0o600), "wb")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Turn what goes wrong with the disk into plain words."""
        try:
            yield
        except OSError as error:
            raise AppError(f"{self.workspace}: {plain_os_error(error)}") from error

    def _path(self, name: str) -> Path:
        return self.path / name


class Site(NamedTuple):
    """What is served, and the words about it."""

    course: Course
    root: Path
    home: str
    """The notebook that opens first."""
    warm: tuple[str, ...]
    """The notebooks of which one is kept ready."""
    only: frozenset[str] | None
    """The notebooks that can be opened; None: every one below the folder."""
    kinds: Mapping[str, str]
    """Which widget each kind of page needs."""
    title: str
    kept: str


class Room(Protocol):
    """What is needed of an instructor's room."""

    root: Path
    course: Course


def serve(
    course: Course, workspace: Path, *, port: int | None = None, open_browser: bool = True
) -> None:
    """Serve ``workspace`` on this machine until Ctrl-C or a signal to end.

    Without ``port``, it is the one of the last time, so that pages left open come back; when that
    is in use, another one is taken, and said.

    Raises:
        AppError: the port that was asked for is in use, or the workspace can't be written to.
    """
    root = workspace.resolve()
    warm = ("home.ipynb", *(step.path for step in course.steps))
    kept = f"The work is kept in {root}"
    site = Site(course, root, "home.ipynb", warm, None, PAGES, course.title, kept)
    _serve(site, port=port, open_browser=open_browser)


def serve_room(room: Room, *, port: int | None = None, open_browser: bool = True) -> None:
    """Serve the instructor's pages of ``room``, and none of the notebooks that lie below it.

    Raises:
        AppError: the port that was asked for is in use, or the folder can't be written to.
    """
    root = room.root.resolve()
    os.environ["PCN_ROOM"] = str(root)
    title = f"{room.course.title}, for instructors"
    kept = f"Marks are kept in the gradebook of {root}"
    pages = tuple(f"{kind}.ipynb" for kind in ROOM_PAGES)
    # Submissions lie beside them: none of their notebooks may ever run.
    only = frozenset(pages)
    site = Site(room.course, root, pages[0], pages, only, ROOM_PAGES, title, kept)
    _serve(site, port=port, open_browser=open_browser)


def _serve(site: Site, *, port: int | None, open_browser: bool) -> None:
    folder = ServerFolder(site.root)
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(_alone(folder))
        if running:
            click.echo(f"{site.title} is already open at:\n\n    {running}\n")
            if open_browser:
                _open(running)
            return
        listener, words = take_port(port, folder.read("port"))
        stack.enter_context(listener)
        number: int = listener.getsockname()[1]
        folder.write("port", str(number))
        _log_to(folder)
        output = stack.enter_context(folder.open("kernels.txt"))
        key = folder.secret("token")
        address = f"http://{HOST}:{number}/?token={key}"
        folder.write("address", address)
        # Kernels start in other folders, where a relative one would lead elsewhere.
        os.environ["PCN_COURSE"] = str(site.course.root.resolve())
        os.environ["JUPYTER_PATH"] = os.pathsep.join(
            [str(SHARE), *filter(None, [os.environ.get("JUPYTER_PATH")])]
        )
        invitation = secrets.token_urlsafe(24)
        # It loads what pages need while this process loads what the server needs.
        waiting = Waiting(output)
        stack.callback(waiting.end)

        def ready() -> None:
            if words:
                click.echo(words)
            click.echo(f"{site.title} is open at:\n\n    {address}\n")
            click.echo(
                f"{site.kept}\nWhat goes wrong is written to {folder.log}.\n"
                "Press Ctrl-C here to close the course."
            )
            if open_browser:
                _open(f"http://{HOST}:{number}/open/{invitation}")

        # Here and not above: these take most of a second, and a busy port is said before.
        from pcn_course.app.application import CourseApp, page_settings

        config = page_settings()
        config.Voila.root_dir = str(site.root)
        config.Voila.token = key
        config.Voila.cookie_secret = folder.secret("cookie-secret").encode()
        config.Voila.log_level = logging.INFO
        files = {page: asset(widget).file for page, widget in site.kinds.items()}
        config.VoilaConfiguration.resources = {
            "brand": site.title, "widgets": files, "home": site.home
        }  # fmt: skip
        app = CourseApp(config=config)
        app.course = site.course
        app.home = site.home
        app.warm = site.warm
        app.only = site.only
        app.listener = listener
        app.connections = stack.enter_context(folder.connections())
        app.invitations = {invitation} if open_browser else set()
        app.kernel_output = output
        app.waiting = waiting
        app.on_ready = ready
        app.initialize([])
        app.start()
    click.echo(f"\n{site.title} is closed. {site.kept}")


def take_port(asked: int | None, last: str) -> tuple[socket.socket, str]:
    """A socket that listens on this machine, and what to say about its port, if anything.

    Raises:
        AppError: the port that was asked for can't be had.
    """
    if asked is not None:
        try:
            return _listen(asked), ""
        except OSError as error:
            raise AppError(
                f"Port {asked} is in use, or not allowed on this machine. Close what uses it, "
                "choose another with --port, or leave --port out and a free one is found."
            ) from error
    wanted = int(last) if last.isdecimal() and 0 < int(last) < 65536 else PORT
    try:
        return _listen(wanted), ""
    except OSError:
        pass
    for number in (*range(PORT, PORT + 20), 0):
        with contextlib.suppress(OSError):
            listener = _listen(number)
            words = (
                f"Port {wanted} is in use by another program, so the course is at port "
                f"{listener.getsockname()[1]} now. Pages that were left open can't find it: "
                "open the address below instead."
            )
            return listener, words
    raise AppError("No port is free on this machine. Close some programs, then try again.")


def _listen(number: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it would allow two servers on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, number))
        listener.listen(128)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


@contextlib.contextmanager
def _alone(folder: ServerFolder) -> Iterator[str]:
    """Hold the workspace for one server. Yields the address of the one that holds it already.

    A server that is just closing is waited for.
    """
    lock = filelock.FileLock(folder.path / "running.lock", mode=0o600)
    until = time.monotonic() + _LET_GO_WITHIN
    held = False
    while not held and time.monotonic() < until:
        try:
            lock.acquire(timeout=0.2)
            held = True
        except filelock.Timeout:
            address = folder.read("address")
            if address and _answers(address):
                yield address
                return
        except OSError:
            break  # this file system has no locks; the answers have their own care
    try:
        yield ""
    finally:
        lock.release()


def _answers(address: str) -> bool:
    """Return True if something accepts connections at this port."""
    port = urllib.parse.urlsplit(address).port or 0
    try:
        socket.create_connection((HOST, port), timeout=2).close()
    except OSError:
        return False
    return True


def _open(address: str) -> None:
    """Open the browser; where there is none, the printed address is there."""

    def opened() -> None:
        with contextlib.suppress(webbrowser.Error):
            webbrowser.open(address)

    threading.Thread(target=opened, daemon=True).start()


def _log_to(folder: ServerFolder) -> None:
    """Send all logs of this process to a file; the terminal is the student's."""
    with folder.writing():
        folder.log.touch(mode=0o600)
        handler = RotatingFileHandler(folder.log, "a", 1_000_000, 2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a full disk is told on the page, not in the terminal
