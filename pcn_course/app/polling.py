"""A page's line to its kernel where websockets are blocked: the same messages in plain requests.

Web filters, antivirus programs and old proxies let requests pass and refuse websockets. A page that
finds this out (``polling.js``) opens a line with one GET, fetches what its kernel sent with more of
them, each of which waits a while for news, and sends messages with POST. Behind each line is the
`KernelSocket` that would be behind a websocket, so login, allowed messages and what is forwarded
are the same. A line that no request used for a minute and a half is closed by the socket's own
pings: each request counts as an answer to them.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, ClassVar

from jupyter_server.base.handlers import APIHandler
from tornado import web

from pcn_course.app.origin import refuse_other_sites

if TYPE_CHECKING:
    from pcn_course.app.handlers import KernelSocket

WAIT = 20.0
"""Seconds that a request waits for news; most proxies allow 30 or more."""
GRACE = 15.0
"""Seconds from a request that its page broke off until the line is closed."""
MOST_LINES = 32
"""Lines of one server. When one more is opened, the one that was opened first is closed."""


class Line:
    """Stands in for the connection of a `KernelSocket`, and keeps its messages for requests."""

    selected_subprotocol: ClassVar[str | None] = None
    client_terminated: ClassVar[bool] = False

    def __init__(self, lines: dict[str, Line], key: str, socket: KernelSocket) -> None:
        self._lines = lines
        self._key = key
        self.socket = socket
        self.code = 0
        """Why it was closed, as a websocket's closing code."""
        self._closed = False
        self._connected = self._is_open = False
        self._messages: list[str] = []
        self._early: list[str] = []
        self._size = 0
        self._touched = 0
        self._limit: int = socket.settings["websocket_max_message_size"]
        self._news = asyncio.Event()
        lines[key] = self
        # What a socket uses of its connection is here.
        socket.ws_connection = self
        self._opening = asyncio.ensure_future(self._open())

    async def _open(self) -> None:
        try:
            await self.socket.pre_get()
            self._connected = True
            await self.socket.open(self.socket.kernel_id)
            self._is_open = True
            for messages in self._early:
                self.send(messages)
            self._early.clear()
        except Exception as error:  # noqa: BLE001 (the kernel may end meanwhile, in many ways)
            self.socket.log.info("No line to kernel %s: %s", self.socket.kernel_id, error)
            self.close()

    def touch(self) -> None:
        """Note that the page is there."""
        self.socket.on_pong(b"")
        self._touched += 1

    def page_left(self) -> None:
        """Close the line soon, unless the page asks once more."""
        touched = self._touched

        def close() -> None:
            if self._touched == touched:
                self.close()

        asyncio.get_running_loop().call_later(GRACE, close)

    def send(self, messages: str) -> None:
        """Pass messages, one a line, on to the kernel; at the beginning as soon as it listens."""
        if not self._is_open:
            self._size += len(messages)
            if self._size > self._limit:
                self.close()
            else:
                self._early.append(messages)
            return
        for message in messages.split("\n"):  # splitlines would split at signs within texts, too
            if message and not self._closed:
                self.socket.on_message(message)

    async def receive(self, wait: float) -> str:
        """Return what came for the page, one message a line; nothing after ``wait`` seconds."""
        # Only the newest request gets anything: browsers repeat those whose connection was reset.
        self._news.set()
        self._news = news = asyncio.Event()
        if not self._messages and not self._closed:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await news.wait()
        if news is not self._news:
            return ""
        messages, self._messages, self._size = self._messages, [], 0
        return "\n".join(messages)

    # ---- What a socket uses of its connection ------------------------------------------------

    def write_message(self, message: str, *, binary: bool = False) -> None:  # noqa: ARG002
        """Keep a message until a request fetches it; close when nobody does."""
        self._size += len(message)
        if self._size > self._limit:
            self.close()
            return
        self._messages.append(message)
        self._news.set()

    def write_ping(self, _data: bytes) -> None:
        """Do nothing: requests are its signs of life."""

    def is_closing(self) -> bool:
        """Return True if the line is closed."""
        return self._closed

    def close(self, code: int | None = None, _reason: str | None = None) -> None:
        """End the line, and what it holds of the kernel."""
        if self._closed:
            return
        self._closed = True
        self.code = code or 0
        self._messages.clear()
        self._news.set()
        if self._lines.get(self._key) is self and not code:
            del self._lines[self._key]
        if self._connected:
            self.socket.on_close()


class PolledMessages(APIHandler):
    """Requests in place of a page's websocket. A subclass names the class of its sockets."""

    socket_class: type[KernelSocket]

    @property
    def _lines(self) -> dict[str, Line]:
        lines: dict[str, Line] = self.settings.setdefault("pcn_lines", {})
        return lines

    @property
    def _key(self) -> str:
        return f"{self.path_kwargs['kernel_id']}:{self.get_query_argument('session_id')}"

    def _line(self) -> Line:
        line = self._lines.get(self._key)
        if line is None or (line.is_closing() and not line.code):
            raise web.HTTPError(410)
        line.touch()
        return line

    @web.authenticated
    async def get(self, kernel_id: str) -> None:
        """Open a line and answer with the token that POST wants; or fetch its messages."""
        refuse_other_sites(self)
        if self.get_query_argument("open", ""):
            self._open(kernel_id)
            text = self.xsrf_token.decode()
        else:
            line = self._line()
            text = await line.receive(0 if self.get_query_argument("wait", "") == "0" else WAIT)
            if line.code:  # the server's last word, once
                self._lines.pop(self._key, None)
                self.set_status(410)
                text = str(line.code)
            elif line.is_closing():
                raise web.HTTPError(410)
        self.set_header("Cache-Control", "no-store")
        await self.finish(text, set_content_type="text/plain; charset=utf-8")

    @web.authenticated
    async def post(self, kernel_id: str) -> None:  # noqa: ARG002 (it is part of the key)
        """Pass the page's messages on."""
        line = self._line()
        body = self.request.body
        if len(body) > self.settings["websocket_max_message_size"]:
            raise web.HTTPError(413)
        try:
            line.send(body.decode())
        except (ValueError, LookupError, TypeError, AssertionError):
            raise web.HTTPError(400) from None
        self.set_status(204)
        await self.finish(set_content_type="text/plain; charset=utf-8")

    def on_connection_close(self) -> None:
        """Expect no more of a page that broke off its request: it was closed, or lost its way."""
        super().on_connection_close()
        if line := self._lines.get(self._key):
            line.page_left()

    def _open(self, kernel_id: str) -> None:
        if kernel_id not in self.kernel_manager:
            raise web.HTTPError(404)
        if earlier := self._lines.pop(self._key, None):
            earlier.close()
        while len(self._lines) >= MOST_LINES:
            first = next(iter(self._lines))
            self._lines.pop(first).close()
        socket = self.socket_class(self.application, self.request)
        socket.current_user = self.current_user
        socket.kernel_id = kernel_id
        Line(self._lines, self._key, socket)
