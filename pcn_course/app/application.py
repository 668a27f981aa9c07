"""The light Voilà: our template, our handlers, our kernels, and none of its other doors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import IO, Any

import jinja2
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.utils import url_path_join
from tornado import httpserver, web
from traitlets import default
from traitlets.config import Config
from voila.app import Voila
from voila.exporter import VoilaMarkdownRenderer
from voila.notebook_renderer import NotebookRenderer
from voila.utils import create_include_assets_functions

from pcn_course.app.handlers import (
    SECURITY_HEADERS,
    TEMPLATE,
    HomeHandler,
    InvitationHandler,
    LoginHandler,
    NothingHere,
    course_handlers,
)
from pcn_course.app.kernel_pool import CourseKernels
from pcn_course.app.launcher import AppError
from pcn_course.app.prewarm import Waiting
from pcn_course.course import Course

GRADING = "grading"
"""The tag of the cells that only grading runs."""
MAX_MESSAGE = 64 * 2**20
"""Bytes of the longest message that a page may send: no answer that fits its field is refused."""
_STOP_WITHIN = 8.0
_access = logging.getLogger("pcn_course.access")


class PlainMarkdown(VoilaMarkdownRenderer):
    """Headings without the signs that link to themselves."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "exclude_anchor_links": True})


def page_settings() -> Config:
    """The settings of a server that shows the course's pages; a Jupyter server takes them too."""
    c = Config()
    c.VoilaConfiguration.template = TEMPLATE
    c.VoilaConfiguration.allow_template_override = "NO"
    c.VoilaConfiguration.allow_theme_override = "NO"
    c.VoilaConfiguration.multi_kernel_manager_class = CourseKernels
    c.VoilaConfiguration.file_allowlist = []
    c.VoilaExporter.markdown_renderer_class = PlainMarkdown
    # Cells for the instructor neither run nor show; either setting alone leaves one of the two.
    c.VoilaExecutor.skip_cells_with_tag = GRADING
    c.TagRemovePreprocessor.enabled = True
    c.TagRemovePreprocessor.remove_cell_tags = {GRADING}
    # A kernel that died comes back empty, and no page wants that one: let it be known as dead.
    c.KernelRestarter.restart_limit = 0
    c.KernelRestarter.time_to_dead = 1.0
    c.MappingKernelManager.cull_idle_timeout = 180
    c.MappingKernelManager.cull_interval = 30
    most = os.environ.get("PCN_MOST_KERNELS", "32")
    if not most.isdecimal() or int(most) < 1:
        raise AppError(f"PCN_MOST_KERNELS is {most!r}. Set it to a whole number, 1 or more.")
    c.CourseKernels.most_kernels = int(most)
    if os.environ.get("PCN_WARM_PAGES") == "0":
        c.CourseKernels.fill_delay = 1e9  # seconds until one more is kept ready: never
    c.MappingKernelManager.buffer_offline_messages = False
    # Pages trust no notebook's outputs, so nothing is signed, nor kept in the home folder for it.
    c.NotebookNotary.db_file = ":memory:"
    c.NotebookNotary.secret = secrets.token_bytes(32)
    return c


class CourseApp(Voila):
    """One course, one folder with pages, one port of this machine."""

    course: Course
    home: str
    warm: tuple[str, ...]
    only: frozenset[str] | None = None
    listener: socket.socket
    connections: Path
    invitations: set[str]
    kernel_output: IO[bytes] | None = None
    waiting: Waiting | None = None
    on_ready: Callable[[], None] = staticmethod(lambda: None)

    @default("log")
    def _default_log(self) -> logging.Logger:
        return logging.getLogger("pcn_course.app")

    def get_default_logging_config(self) -> dict[str, Any]:
        """Leave logging as it is: whoever starts the server has set it up."""
        return {"version": 1, "disable_existing_loggers": False}

    def load_config_file(self, *_args: Any, **_kwargs: Any) -> None:
        """Read no file: what a ``voila.py`` in some folder says is not meant for this."""

    def init_settings(self) -> dict[str, Any]:
        """Voilà's settings, with what it can't be told by configuration."""
        self.connection_dir = str(self.connections)
        settings: dict[str, Any] = super().init_settings()
        kernels: CourseKernels = self.kernel_manager
        kernels.make_renderer = self._renderer
        kernels.stamp = self._stamp
        kernels.warm_pages = self.warm
        kernels.output = self.kernel_output
        kernels.waiting = self.waiting
        pages: jinja2.Environment = settings["voila_jinja2_env"]
        words = create_include_assets_functions(TEMPLATE, self.base_url)
        pages.globals.update(words, **self.voila_configuration.resources)
        settings.update(
            jinja2_env=pages,  # the login page, too
            allow_remote_access=False,
            compress_response=True,
            default_handler_class=NothingHere,
            headers=SECURITY_HEADERS,
            log_function=_log_request,
            websocket_max_message_size=MAX_MESSAGE,
            xsrf_cookies=True,
        )
        return settings

    def init_handlers(self) -> list[Any]:
        """Return the handlers of the course's pages and of nothing else of Voilà's."""
        root = Path(self.root_dir)
        own = [
            (self.base_url, HomeHandler, {"home": self.home}),
            (url_path_join(self.base_url, "/login"), LoginHandler),
            (
                url_path_join(self.base_url, r"/open/([\w-]+)"),
                InvitationHandler,
                {"invitations": self.invitations},
            ),
        ]
        return [*own, *course_handlers(self.base_url, root, home=self.home, only=self.only)]

    def start(self) -> None:
        """Serve until told to stop."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        stopped = asyncio.Event()
        for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
            _on_signal(name, stopped)
        settings = self.init_settings()
        self.app = web.Application(self.init_handlers(), **settings)
        server = httpserver.HTTPServer(self.app)
        server.add_socket(self.listener)
        kernels: CourseKernels = self.kernel_manager
        kernels.prepare()
        warming = asyncio.create_task(kernels.warm_up())
        self.on_ready()
        try:
            await stopped.wait()
        finally:
            server.stop()
            warming.cancel()
            with contextlib.suppress(Exception):
                async with asyncio.timeout(_STOP_WITHIN):
                    await ZMQChannelsWebsocketConnection.close_all()
                    await kernels.end_all()

    def _renderer(self, page: str) -> NotebookRenderer:
        settings = self.app.settings
        return NotebookRenderer(
            voila_configuration=self.voila_configuration,
            traitlet_config=self.config,
            notebook_path=page,
            template_paths=self.template_paths,
            config_manager=settings["config_manager"],
            contents_manager=settings["contents_manager"],
            base_url=self.base_url,
            kernel_spec_manager=self.kernel_spec_manager,
            page_config={},
        )

    def _stamp(self, page: str) -> Hashable:
        """The state of the page's notebook and of all that the course asks."""
        data = sorted((self.course.root / "data").rglob("*"))
        return tuple(_state(path) for path in (Path(self.root_dir, page), *data))


def _state(path: Path) -> Hashable:
    try:
        stat = path.stat()
    except OSError:
        return str(path), None
    return str(path), stat.st_mtime_ns, stat.st_size


def _on_signal(name: str, stopped: asyncio.Event) -> None:
    """Let a signal stop the server; a second one of the same kind ends it the hard way."""
    number = getattr(signal, name, None)
    if number is None:
        return
    loop = asyncio.get_running_loop()

    def stop(*_args: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stopped.set)

    try:
        loop.add_signal_handler(number, stop)
    except NotImplementedError:  # Windows
        signal.signal(number, stop)


def _log_request(handler: web.RequestHandler) -> None:
    """One line for a request, without what stands after the ``?``: it may be the key."""
    status = handler.get_status()
    level = logging.INFO if status < 500 else logging.ERROR
    request = handler.request
    duration = 1000 * request.request_time()
    _access.log(level, "%s %s %d %.0f ms", request.method, request.path, status, duration)
