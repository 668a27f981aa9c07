"""What the server answers: pages, their kernels' sockets, and nothing else of the workspace.

Voilà's own handlers also offer files without a login, a list of all folders, and any notebook that
a symbolic link leads to. These here replace them; `course_handlers` gives them all, for any Jupyter
server whose kernel manager is `CourseKernels`.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.auth.login import LoginFormHandler
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.handlers import KernelHandler
from jupyter_server.utils import url_path_join
from tornado import web
from tornado.iostream import StreamClosedError
from voila.static_file_handler import TemplateStaticFileHandler
from voila.tornado.kernel_websocket_handler import VoilaKernelWebsocketHandler

from pcn_course.app.kernel_pool import CourseKernels, Rendering
from pcn_course.app.origin import refuse_other_sites
from pcn_course.app.plotly import PlotlyHandler
from pcn_course.app.polling import PolledMessages
from pcn_course.app.static_files import WidgetHandler
from pcn_course.assets import STATIC

HOME = "home.ipynb"
TEMPLATE = "pcn"
SECURITY_HEADERS = {"Referrer-Policy": "same-origin"}
# Nothing is ever fetched from another host: here the browser itself sees to it. Widgets are modules
# from blobs; previews and feedback may stand in frames, which inherit all this.
_CONTENT_SECURITY = (
    "default-src 'self'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://{host} "
    "wss://{host}; frame-src 'self' blob: data:; frame-ancestors 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'"
)

_kernel_log = logging.getLogger("pcn_course.kernel")
_KERNEL = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"
_FORWARDED = {"comm_open", "comm_msg", "comm_close", "status", "kernel_info_reply"}
_USUAL = {"busy", "idle"}
"""States of a kernel that come twice with each message and tell a page nothing."""


class CourseHandler(JupyterHandler):
    """Base of handlers that answer with a page in the course's look."""

    @property
    def content_security_policy(self) -> str:
        """What a page may load. Older browsers want the sockets' address in full."""
        return _CONTENT_SECURITY.format(host=self.request.host)


class PageHandler(CourseHandler):
    """One notebook as a page."""

    root: Path
    home: str
    only: frozenset[str] | None
    rendering: Rendering | None = None

    def initialize(self, root: Path, home: str, only: frozenset[str] | None) -> None:
        """Take the folder outside of which nothing is served, and the pages in it that are."""
        self.root = root
        self.home = home
        self.only = only

    @property
    def kernels(self) -> CourseKernels:
        """The kernel manager, with its finished pages."""
        return cast("CourseKernels", self.kernel_manager)

    @web.authenticated
    async def get(self, path: str) -> None:
        """Send the page as it is made."""
        if path in ("", "/"):
            self.redirect(url_path_join(self.base_url, "voila/render", self.home))
            return
        page = notebook_below(self.root, path)
        if page is None or (self.only is not None and page not in self.only):
            raise web.HTTPError(404)
        refuse_other_sites(self)
        if not await self.kernels.make_room():
            raise web.HTTPError(429)
        self.rendering = rendering = await self.kernels.take(page)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        # The page names a kernel of its own, so nobody may keep it.
        self.set_header("Cache-Control", "no-store")
        begun = False
        try:
            async for html in rendering.pieces():
                begun = True
                self.write(html)
                await self.flush()
        except StreamClosedError:
            return
        self.rendering = None
        if not begun:
            raise web.HTTPError(500)

    def on_connection_close(self) -> None:
        """Keep what was on its way to a visitor who left: an impatient one asks again."""
        super().on_connection_close()
        if self.rendering:
            self.kernels.give_back(self.rendering)
            self.rendering = None


class HomeHandler(CourseHandler):
    """Leads to the start page."""

    home: str

    def initialize(self, home: str) -> None:
        """Take the notebook that opens first."""
        self.home = home

    @web.authenticated
    async def get(self, *_path: str) -> None:
        """Redirect: without the key, so that it does not stay in the address bar."""
        self.redirect(url_path_join(self.base_url, "voila/render", self.home))


class LoginHandler(CourseHandler, LoginFormHandler):
    """Asks for the key those who come without it."""


class InvitationHandler(CourseHandler):
    """Signs in the browser that we open ourselves, once.

    Programs' arguments can be read by everybody on a shared machine, so the key isn't among them.
    """

    invitations: set[str]

    def initialize(self, invitations: set[str]) -> None:
        """Take the words that are still good for one sign-in each."""
        self.invitations = invitations

    @allow_unauthenticated
    async def get(self, word: str) -> None:
        """Spend the word; without a good one, the way leads to the login page."""
        if word in self.invitations:
            self.invitations.remove(word)
            user = self.identity_provider.generate_anonymous_user(self)
            self.identity_provider.set_login_cookie(self, user)
        self.redirect(self.base_url)


class NothingHere(CourseHandler):
    """The page for all other addresses."""

    @web.authenticated
    async def get(self, *_path: str) -> None:
        """Answer with the page for status 404."""
        raise web.HTTPError(404)


class StaticFile(TemplateStaticFileHandler):
    """The template's files; of scripts and styles what was built of them."""

    @classmethod
    def get_content(cls, abspath: str, start: int | None = None, end: int | None = None) -> Any:
        """The built file's content, or the asked part of it."""
        return super().get_content(_built(abspath), start, end)

    def get_content_size(self) -> int:
        """How many bytes that is."""
        return Path(_built(str(self.absolute_path))).stat().st_size


def _built(path: str) -> str:
    built = STATIC / Path(path).name
    return str(built) if built.is_file() else path


class KernelState(KernelHandler):
    """Whether a kernel lives; it can't be changed from here."""

    SUPPORTED_METHODS = ("GET",)


class KernelSocket(VoilaKernelWebsocketHandler):
    """A page's line to its kernel: comm messages, compressed. What the kernel prints is logged."""

    def get_compression_options(self) -> dict[str, Any]:
        """Widgets' sources come on this line: compressed they are a third."""
        return {"compression_level": 6, "mem_level": 6}

    def write_message(self, message: Any, binary: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Send a message to the page, when it is of a kind that the page knows."""
        if isinstance(message, str):
            parsed = json.loads(message)
            kind = parsed.get("header", {}).get("msg_type")
            if kind not in _FORWARDED:
                _log_output(kind, parsed.get("content", {}))
                return None
            content = parsed["content"]
            if kind == "status" and content.get("execution_state") in _USUAL:
                return None
            # What the page reads, and no more: the rest is longer than most answers.
            asked = {"msg_id": parsed.get("parent_header", {}).get("msg_id")}
            said = {"header": {"msg_type": kind}, "parent_header": asked, "content": content}
            message = json.dumps(said)
        return super().write_message(message, binary)


class KernelMessages(PolledMessages):
    """The same line for pages whose websockets are blocked."""

    socket_class = KernelSocket


def _log_output(kind: str, content: dict[str, Any]) -> None:
    text = content.get("text", "").rstrip()
    # The kernel says this of each new comm whose first message comes before it has looked around.
    if kind == "stream" and not text.startswith("No such comm"):
        _kernel_log.warning("%s", text)
    elif kind == "error":
        _kernel_log.error("%s", "\n".join(content.get("traceback", [])))


def notebook_below(root: Path, path: str) -> str | None:
    """The notebook that ``path`` names, as a path below ``root`` with slashes.

    None when it isn't a notebook, is hidden, or lies elsewhere, be it by a symbolic link.
    """
    parts = path.split("/")
    if any(part.startswith(".") or part == "" or "\\" in part or "\0" in part for part in parts):
        return None
    target = root.joinpath(*parts)
    try:
        # A link may lead to where nobody may look.
        there = target.suffix == ".ipynb" and target.is_file()
        inside = there and target.resolve().is_relative_to(root.resolve())
    except OSError:
        return None
    return "/".join(parts) if inside else None


def course_handlers(
    base_url: str, root: Path, *, home: str = HOME, only: frozenset[str] | None = None
) -> list[tuple[Any, ...]]:
    """The addresses of the course, for ``add_handlers`` of a Jupyter server at ``base_url``.

    ``home`` is the notebook that opens first; ``only`` names those that can be opened, without it
    all below ``root``.
    """

    def at(path: str) -> str:
        return url_path_join(base_url, path)

    return [
        (at(rf"/api/kernels/{_KERNEL}"), KernelState),
        (at(rf"/api/kernels/{_KERNEL}/channels"), KernelSocket),
        (at(rf"/api/kernels/{_KERNEL}/messages"), KernelMessages),
        (at(rf"/voila/templates/({TEMPLATE}/static/[\w.-]+)"), StaticFile),
        (at(r"/pcn/plotly\.min\.js"), PlotlyHandler),
        (at(r"/pcn/widgets/([\w.-]+)"), WidgetHandler),
        (at(r"/voila/render/?(.*)"), PageHandler, {"root": root, "home": home, "only": only}),
        (at(r"/voila(?:/tree.*)?/?"), HomeHandler, {"home": home}),
        (at(r"/voila/.*"), NothingHere),
    ]
