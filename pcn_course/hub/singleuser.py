"""One student's server on a hub: the course's pages, behind the hub's login, and nothing else.

It is the same server as ``pcn app`` on a machine of one's own, so there is no lab, no terminal, no
contents, files or nbconvert address that would have to be closed. Three things differ: the hub says
who comes, so there is no key; its kernels are split off when they are wanted and share their memory
with it, because sixty of these share a machine; and it ends by itself when nobody uses it. It is
split off from the hub's fork server, as the student's own system user.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import logging
import os
import re
import socket
import sys
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
from jupyter_server.utils import url_path_join
from jupyterhub import __version__
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from tornado.httpclient import AsyncHTTPClient
from tornado.websocket import WebSocketClosedError

from pcn_course.app.application import CourseApp, page_settings
from pcn_course.app.handlers import (
    HOME,
    SECURITY_HEADERS,
    HomeHandler,
    course_handlers,
)
from pcn_course.app.kernel_pool import CourseKernels
from pcn_course.app.launcher import SHARE, AppError, ServerFolder
from pcn_course.app.prewarm import Waiting
from pcn_course.assets import PAGES, ROOM_PAGES, asset
from pcn_course.course import Course, load_course
from pcn_course.files import StorageError
from pcn_course.hub.exchange_view import make_released, make_view, write_student_config
from pcn_course.hub.forkserver import ForkedProcess, ForkServer
from pcn_course.hub.handlers import REPLACED, AtSign, WatchedSocket
from pcn_course.hub.json_logs import log_to
from pcn_course.hub.settings import Settings
from pcn_course.hub.usage import FILE as COUNTS
from pcn_course.hub.usage import Counts, read_counts
from pcn_course.workspace import Workspace

_log = logging.getLogger("pcn_course.hub")
SECURE = {"secure": True}
"""What the XSRF cookie is made with behind TLS: JupyterHub marks its others, and not this one."""
_LOOK_EVERY = 15.0
_log_line: int | None = None
"""Where the server logs to, for its kernels."""
_FORGOTTEN = 4408
"""The last word to pages that nobody used, as page.js knows it."""


class ForkedKernel(Waiting):
    """A kernel that is split off when it is wanted, and is there at once."""

    def __init__(self, fork_server: ForkServer) -> None:
        self.fork_server = fork_server

    def become(self, command: Sequence[str], folder: str | None, env: Mapping[str, str]) -> None:
        """Be split off, as which kernel."""
        told = {"argv": list(command[2:]), "folder": folder, "env": dict(env)}
        # What is used of a Popen, it has.
        self.process = cast("Any", ForkedProcess(self.fork_server.ask(told)))


class ForkedKernels(CourseKernels):
    """Kernels that come from a fork server. None is in reserve, which would save nothing here."""

    fork_server: ForkServer | None = None
    counts: Counts | None = None

    async def start_kernel(self, **kwargs: Any) -> str:  # type: ignore[override]
        """Start a kernel, and count it."""
        if self.counts:
            self.counts.kernels_started += 1
        return await super().start_kernel(**kwargs)

    def prepare(self) -> None:
        """Do nothing: the fork server keeps what a student's kernel needs."""

    def take_waiting(self, command: list[str]) -> Waiting | None:
        """A kernel at once, where the usual one is asked for."""
        usual = (sys.executable, "-m", "ipykernel_launcher")
        return (
            ForkedKernel(self.fork_server)
            if self.fork_server and tuple(command[:3]) == usual
            else None
        )


def become_kernel(told: Mapping[str, Any]) -> None:
    """Be the kernel of a page. Runs in a process that was split off for it."""
    import ipywidgets
    from ipykernel import kernelapp

    os.environ.clear()
    os.environ.update(told["env"])
    if _log_line is not None:
        # What goes wrong in it is told where the server tells; what it prints is not.
        log_to(
            os.fdopen(_log_line, "w", encoding="utf-8"), plain=_plain(os.environ), strict=True,
            user=os.environ.get("JUPYTERHUB_USER", ""), page=Path(told["folder"] or "").name,
        )  # fmt: skip
    if told["folder"]:
        os.chdir(told["folder"])
    sys.argv = list(told["argv"])
    app = kernelapp.IPKernelApp.instance()
    app.parent_handle = os.getppid()  # it ends when that one does
    app.initialize()  # type: ignore[no-untyped-call]
    app.log.handlers.clear()
    app.log.propagate = True
    # It does this by itself when it is imported in a kernel, which this was not yet.
    ipywidgets.register_comm_target()
    app.start()  # type: ignore[no-untyped-call]


class HubApp(CourseApp):
    """The course's pages for one member of the class."""

    hub: Mapping[str, str]
    idle: float
    forgotten: float
    warning: float
    tell_every: float
    """Seconds between two words to the hub of use: where thousands share a hub, they add up."""
    released: Path | None = None
    sockets: set[WatchedSocket]
    counts: Counts
    counts_in: Path
    _warned: bool = False
    _ends_at: float = 0.0
    _last_use: float = 0.0
    _last_open: float = 0.0
    _told: float = -1.0

    def init_settings(self) -> dict[str, Any]:
        """Our app's settings, for pages that come through the hub's proxy."""
        settings = super().init_settings()
        settings.update(
            headers={**SECURITY_HEADERS, "X-JupyterHub-Version": __version__},
            allow_remote_access=True,  # the proxy passes the public name on
            xsrf_cookies=False,  # Tornado looks too early; the hub's own check comes with the login
            pcn_hub_app=self,
        )
        if self.hub.get("JUPYTERHUB_PUBLIC_URL", "").startswith("https:"):
            settings["xsrf_cookie_kwargs"] = SECURE
        return settings

    def init_handlers(self) -> list[Any]:
        """Our addresses, with the hub's way of logging in."""
        root = Path(self.root_dir)
        provided = [
            (url_path_join(self.base_url, handler[0]), *handler[1:])
            for handler in self.identity_provider.get_handlers()
        ]
        ours = [
            (address, REPLACED.get(handler, handler), *rest)
            for address, handler, *rest in course_handlers(
                self.base_url, root, home=self.home, only=self.only
            )
        ]
        home = (self.base_url, HomeHandler, {"home": self.home})
        other = (re.escape(self.base_url.replace("@", "%40")) + ".*", AtSign)
        return [*([other] if "@" in self.base_url else []), *provided, home, *ours]

    def used(self) -> None:
        """Somebody opens a page, or types in one."""
        self._last_use = self._last_open = time.monotonic()
        if self._warned:
            self._warned = False
            self._tell_pages(0)

    async def fetch_released(self) -> None:
        """Bring released steps into the workspace, as nbgrader's ``fetch`` does, without asking."""
        if self.released and (self.released / "notebooks").is_dir():
            course = msgspec.structs.replace(self.course, root=self.released)
            try:
                await asyncio.to_thread(Workspace(Path(self.root_dir)).fill, course)
            except (StorageError, OSError):
                _log.exception("What was released could not be fetched")

    async def watch(self) -> None:
        """Tell the hub of use, and return when there is none any more."""
        self.used()
        warning = min(self.warning, self.forgotten / 2)
        while True:
            await asyncio.sleep(min(_LOOK_EVERY, self.idle / 4, warning / 4))
            if open_now := self.pages_open():
                self._last_open = time.monotonic()
            quiet = time.monotonic() - (self._last_use if open_now else self._last_open)
            left = (self.forgotten if open_now else self.idle) - quiet
            if open_now and (self._warned or left < warning):
                left = self._warn(warning)
            if left <= 0:
                _log.info("Nobody has used this server for %.0f minutes: it ends", quiet / 60)
                for page in list(self.sockets):
                    page.close(_FORGOTTEN, "nobody used it")
                await self._ask_to_be_ended()
                return
            self.counts.pages = open_now
            self.counts.kernels = len(self.kernel_manager.list_kernel_ids())
            await asyncio.to_thread(self.counts.keep, self.counts_in)
            await self._tell()

    def _warn(self, warning: float) -> float:
        """Tell all pages how long they stay open when nobody uses one; nobody's is cut short."""
        if not self._warned:
            self._warned = True
            self._ends_at = time.monotonic() + warning
        left = self._ends_at - time.monotonic()
        if left > 0:
            self._tell_pages(left)
        return left

    def _tell_pages(self, seconds: float) -> None:
        for page in list(self.sockets):
            with contextlib.suppress(WebSocketClosedError):
                page.tell_quiet(seconds)

    def pages_open(self) -> int:
        """How many pages are joined to a kernel."""
        kernels = self.kernel_manager
        return sum(kernels._kernel_connections.get(one, 0) for one in kernels.list_kernel_ids())  # noqa: SLF001 (its public list fails on a kernel that starts)

    async def _ask_to_be_ended(self) -> None:
        """Let the hub do it, so that it knows: who comes back meanwhile is sent to a new one."""
        user = urllib.parse.quote(self.hub["JUPYTERHUB_USER"], safe="")
        name = self.hub.get("JUPYTERHUB_SERVER_NAME", "")
        own = f"servers/{urllib.parse.quote(name, safe='')}" if name else "server"
        try:
            await self._ask_hub(f"{self.hub['JUPYTERHUB_API_URL']}/users/{user}/{own}", "DELETE")
            await asyncio.sleep(30)
        except Exception as error:  # noqa: BLE001 (without the hub it ends all the same)
            _log.warning("The hub did not end this server: %s", error)

    async def _ask_hub(self, url: str, method: str, body: dict[str, Any] | None = None) -> None:
        headers = {
            "Authorization": f"token {self.hub['JUPYTERHUB_API_TOKEN']}",
            "Content-Type": "application/json",
        }
        content = json.dumps(body) if body else None
        await AsyncHTTPClient().fetch(url, method=method, headers=headers, body=content)

    async def _tell(self) -> None:
        if self._last_use == self._told or self._last_use - self._told < self.tell_every:
            return
        ago = time.monotonic() - self._last_use
        when = (dt.datetime.now(dt.UTC) - dt.timedelta(seconds=ago)).isoformat()
        name = self.hub.get("JUPYTERHUB_SERVER_NAME", "")
        body = {"servers": {name: {"last_activity": when}}, "last_activity": when}
        try:
            await self._ask_hub(self.hub["JUPYTERHUB_ACTIVITY_URL"], "POST", body)
        except Exception as error:  # noqa: BLE001 (a hub that restarts is no reason to end)
            _log.warning("The hub did not hear of use: %s", error)
        else:
            self._told = self._last_use

    async def _serve(self) -> None:
        """Serve until told to stop, or until nobody is there."""
        watching = asyncio.create_task(self.watch())
        serving = asyncio.create_task(super()._serve())
        done, _ = await asyncio.wait({watching, serving}, return_when=asyncio.FIRST_COMPLETED)
        if watching in done and not serving.done():
            os.kill(os.getpid(), 15)  # the same way down as when the hub says so
        watching.cancel()
        await serving


def main() -> None:
    """Serve what the hub's environment says, until it says stop."""
    log_to(sys.stderr, plain=_plain(os.environ), user=os.environ.get("JUPYTERHUB_USER", ""))
    try:
        _serve_one(os.environ)
    except (AppError, StorageError) as error:
        _log.error("The server ends: %s", f"{error}")
        sys.exit(1)
    except Exception:  # noqa: BLE001 (nothing of it may go to the log as it is)
        _log.exception("The server ends")
        sys.exit(1)


def _plain(hub: Mapping[str, str]) -> bool:
    """Whether logs are for people; usually they are one JSON object a line."""
    return hub.get("PCN_LOGS") == "plain"


def _serve_one(hub: Mapping[str, str]) -> None:
    course = load_course()
    if room := hub.get("PCN_ROOM"):
        _serve_pages(hub, course, Path(room), ROOM_PAGES, only=hub.get("PCN_ONLY", ""))
        return
    home = Path.home()
    workspace = Workspace(home / "workspace")
    workspace.root.mkdir(exist_ok=True)
    workspace.fill(course)
    workspace.shut()
    released = None
    if exchange := hub.get("PCN_EXCHANGE"):
        view = home / "exchange"
        student = hub["JUPYTERHUB_USER"]
        make_view(view, Path(exchange), course.id, student)
        write_student_config(home / ".jupyter" / "nbgrader_config.py", view, course.id, student)
        released = make_released(home / "released", view, course.id)
    _serve_pages(hub, course, workspace.root, PAGES, released=released)


def _serve_pages(
    hub: Mapping[str, str],
    course: Course,
    root: Path,
    kinds: Mapping[str, str],
    *,
    only: str = "",
    released: Path | None = None,
) -> None:
    is_room = kinds is ROOM_PAGES
    pages = tuple(only.split()) if only else tuple(f"{kind}.ipynb" for kind in kinds)
    home = pages[0] if is_room else HOME
    # Several may work in one room at a time, each with a server of their own.
    folder = ServerFolder(Path.cwd() if is_room else root)
    address = urllib.parse.urlsplit(hub["JUPYTERHUB_SERVICE_URL"])
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(
            socket.create_server((address.hostname or "127.0.0.1", address.port or 80), backlog=128)
        )
        listener.setblocking(False)
        os.environ["JUPYTER_PATH"] = os.pathsep.join(
            [str(SHARE), *filter(None, [os.environ.get("JUPYTER_PATH")])]
        )
        output = stack.enter_context(folder.open("kernels.txt"))
        global _log_line  # noqa: PLW0603 (the kernels' process is split off with it)
        _log_line = os.dup(2)
        ForkedKernels.fork_server = ForkServer.split_off(become_kernel, output.fileno())
        config = page_settings()
        config.VoilaConfiguration.multi_kernel_manager_class = ForkedKernels
        # Its class took these from the environment when it was loaded, before this was a student's.
        config.HubOAuth.base_url = hub["JUPYTERHUB_SERVICE_PREFIX"]
        config.HubOAuth.api_url = hub["JUPYTERHUB_API_URL"]
        # Sixty servers look for free ports at the same time: now and then two took the same one for
        # a kernel, and one of these ended. Sockets that are files, beside those by which server and
        # kernel find each other, have no such neighbours, and nobody else can even knock.
        config.KernelManager.transport = "ipc"
        config.MappingKernelManager.cull_idle_timeout = 30
        config.MappingKernelManager.cull_interval = 10
        config.Voila.root_dir = str(root)
        config.Voila.base_url = hub["JUPYTERHUB_SERVICE_PREFIX"]
        config.Voila.identity_provider_class = JupyterHubIdentityProvider
        config.Voila.cookie_secret = folder.secret("cookie-secret").encode()
        config.Voila.log_level = logging.INFO
        title = f"{course.title}, for instructors" if is_room else course.title
        files = {page: asset(widget).file for page, widget in kinds.items()}
        config.VoilaConfiguration.resources = {"brand": title, "widgets": files, "home": home}
        app = HubApp(config=config)
        app.hub = hub
        app.course = course
        app.home = home
        app.warm = ()
        app.released = released
        app.sockets = set()
        # The start of a server is not the start of its counts.
        app.counts_in = Path.cwd() if is_room else Path.home()
        app.counts = read_counts(app.counts_in / COUNTS) or Counts()
        ForkedKernels.counts = app.counts
        app.only = frozenset(pages) if is_room else None
        app.listener = listener
        app.connections = stack.enter_context(folder.connections())
        app.invitations = set()
        app.kernel_output = output
        told = {"PCN_TELL_EVERY": "0", **Settings().environment, **hub}
        app.idle, app.forgotten, app.warning, app.tell_every = (
            float(told[f"PCN_{name}"]) for name in ("IDLE", "FORGOTTEN", "WARNING", "TELL_EVERY")
        )
        app.initialize([])
        app.start()
