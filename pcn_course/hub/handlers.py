"""The addresses of a student's server on a hub, where they differ from those of ``pcn app``.

The hub says who comes, so a page sends to its login; and each use is noted, because a server that
nobody uses ends.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from tornado.websocket import WebSocketHandler

from pcn_course.app.handlers import KernelMessages, KernelSocket, PageHandler
from pcn_course.app.plotly import PlotlyHandler
from pcn_course.app.static_files import WidgetHandler
from pcn_course.hub.usage import Saves, kind_of

if TYPE_CHECKING:
    from pcn_course.hub.singleuser import HubApp


class WatchedPage(PageHandler):
    """A page; before it is made, whatever the instructor has released since is fetched."""

    @web.authenticated
    async def get(self, path: str) -> None:
        """Fetch, then send the page."""
        app: HubApp = self.settings["pcn_hub_app"]
        app.used()
        began = time.monotonic()
        await app.fetch_released()
        try:
            if sending := super().get(path):
                await sending
                app.counts.made.add(time.monotonic() - began)
        except PermissionError:  # a link to what this user may not even look at
            raise web.HTTPError(404) from None


class AtSign(web.RequestHandler):
    """Leads to the address as the hub writes it, where somebody's name is an e-mail address.

    Some programs write ``%40`` in links. No page is there, and the hub's cookie isn't for it, so
    the login would go round and round.
    """

    async def get(self) -> None:
        """Redirect; nothing but the one sign differs."""
        self.redirect(str(self.request.uri).replace("%40", "@"))


class OpenWidget(WidgetHandler):
    """The widgets' scripts, the same for all. A browser shows no login when it loads a module."""

    @allow_unauthenticated
    async def get(self, file: str) -> None:
        """Send the file without a login."""
        await WidgetHandler.get.__wrapped__(self, file)  # type: ignore[attr-defined]


class OpenPlotly(PlotlyHandler):
    """The script for charts, for the same reason."""

    @allow_unauthenticated
    async def get(self) -> None:
        """Send the file without a login."""
        await PlotlyHandler.get.__wrapped__(self)  # type: ignore[attr-defined]


class WatchedSocket(KernelSocket):
    """A page's line to its kernel, which says when somebody types, and counts what is saved."""

    @property
    def hub_app(self) -> HubApp:
        """The server that this is a line of."""
        return cast("HubApp", self.settings["pcn_hub_app"])

    async def open(self, kernel_id: str) -> None:
        """Let the server know that a page is there."""
        self.hub_app.sockets.add(self)
        self._saves = Saves(self.hub_app.counts)
        await super().open(kernel_id)

    def on_close(self) -> None:
        """Let the server know that the page is gone."""
        self.hub_app.sockets.discard(self)
        super().on_close()

    def on_message(self, ws_message: Any) -> Any:
        """Take note of everything but the sign of life that pages ask for when they are quiet."""
        kind = kind_of(ws_message)
        if kind == "pcn_here":  # somebody reads, and says so; it is not for the kernel
            self.hub_app.used()
            return self.tell_quiet(0)
        if kind != "kernel_info_request":
            self.hub_app.used()
            self._saves.asked(ws_message)
        return super().on_message(ws_message)

    def write_message(self, message: Any, binary: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Count what the kernel has saved, on its way to the page."""
        if isinstance(message, str):
            self._saves.answered(message)
        return super().write_message(message, binary)

    def tell_quiet(self, seconds: float) -> Any:
        """Tell the page in how many seconds its server ends; 0: it doesn't."""
        said = {"header": {"msg_type": "pcn_quiet"}, "content": {"seconds": seconds}}
        # Not by way of what a kernel may say, which this is none of.
        return WebSocketHandler.write_message(self, json.dumps(said))


class WatchedMessages(KernelMessages):
    """The line of a page whose websockets are blocked, watched in the same way."""

    socket_class = WatchedSocket


REPLACED = {
    PageHandler: WatchedPage,
    KernelSocket: WatchedSocket,
    KernelMessages: WatchedMessages,
    WidgetHandler: OpenWidget,
    PlotlyHandler: OpenPlotly,
}
"""What stands here in place of which handler of the app."""
