"""A web filter, antivirus program or proxy between browser and server that dislikes websockets."""

from __future__ import annotations

import socket
import threading
from typing import Literal

from tests.soak.link import Link, Pair

Treatment = Literal["pass", "refuse", "swallow", "cut"]

_REFUSAL = b"<!doctype html><title>Blocked</title><p>Blocked by your administrator."
_REFUSED = (
    b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_REFUSAL), _REFUSAL)
)
_CUT_AFTER = 3.0


class Filter(Link):
    """A link that treats websockets, and requests to the API, each in a way of its own.

    - ``refuse``: answers 403 with a page of its own
    - ``swallow``: a websocket opens, and no frame ever passes; a request is never answered
    - ``cut``: a websocket is reset after some seconds
    """

    def __init__(self, target: int) -> None:
        """Let everything pass, at first."""
        self.sockets: Treatment = "pass"
        self.requests: Treatment = "pass"
        super().__init__(target)

    def block(self, sockets: Treatment, requests: Treatment = "pass") -> None:
        """Treat new connections so, and reset those that are open."""
        self.sockets, self.requests = sockets, requests
        with self._guard:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.reset()

    def _pump(self, pair: Pair, source: socket.socket, sink: socket.socket) -> None:
        if (self.sockets, self.requests) == ("pass", "pass"):
            super()._pump(pair, source, sink)
        elif source is pair.browser:
            try:
                self._pass_requests(pair, source, sink)
            except OSError:
                pair.reset()
        else:
            try:
                self._pass_answers(pair, source, sink)
            except OSError:
                pair.reset()

    def _pass_requests(self, pair: Pair, source: socket.socket, sink: socket.socket) -> None:
        """Look at each request's head; bodies, and what follows an upgrade, pass unread."""
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := source.recv(65536)):
                    sink.shutdown(socket.SHUT_WR)
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            upgrade = b"upgrade: websocket" in head.lower()
            api = b"/api/" in head.split(b"\r\n")[0]
            way = self.sockets if upgrade else self.requests if api else "pass"
            if way == "refuse":
                source.sendall(_REFUSED)
                source.shutdown(socket.SHUT_WR)
                while source.recv(65536):
                    pass
                sink.shutdown(socket.SHUT_WR)
                return
            pair.swallowed = way == "swallow"
            if way == "swallow" and not upgrade:
                while source.recv(65536):
                    pass
                sink.shutdown(socket.SHUT_WR)
                return
            if way == "cut":
                threading.Timer(_CUT_AFTER, pair.reset).start()
            sink.sendall(head + b"\r\n\r\n")
            if upgrade:
                while data or (data := source.recv(65536)):
                    if not pair.swallowed:
                        sink.sendall(data)
                    data = b""
                sink.shutdown(socket.SHUT_WR)
                return
            lines = head.lower().split(b"\r\n")
            left = sum(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            while left:
                data = data or source.recv(65536)
                sink.sendall(data[:left])
                data, left = data[left:], left - len(data[:left])

    def _pass_answers(self, pair: Pair, source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            self._open.wait()
            if pair.swallowed:
                # That the socket opened is told, and nothing after it.
                head, mark, _ = data.partition(b"\r\n\r\n")
                if head.startswith(b"HTTP/1.1 101"):
                    sink.sendall(head + mark)
                continue
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
