"""A line between browser and server that can be cut, as a tunnel or a dead router cuts it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Literal

Way = Literal["stall", "drop", "reset"]

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by reset


class Link:
    """A TCP proxy on a port of its own; everything between browser and server goes through it.

    While the line is cut, nothing goes through, pages and API calls included:

    - ``stall``: no byte passes, no connection fails; when the line is back, all of it arrives late
    - ``drop``: the same, but what was connected is forgotten: who sends on it is reset once the
      line is back, and who only listens hears nothing for ever
    - ``reset``: connections are reset at once, and so are new ones
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._guard = threading.Lock()
        self._way: Way | None = None
        self._open = threading.Event()
        self._open.set()
        self._pairs: set[Pair] = set()
        self._thread = threading.Thread(target=self._accept, name="link", daemon=True)
        self._thread.start()

    def cut(self, way: Way) -> None:
        """Cut the line."""
        with self._guard:
            self._way = way
            self._open.clear()
            pairs = list(self._pairs)
        for pair in pairs:
            if way == "reset":
                pair.reset()
            elif way == "drop":
                pair.dead = True

    def mend(self) -> None:
        """Let everything pass again."""
        with self._guard:
            self._way = None
            self._open.set()

    def close(self) -> None:
        """End all connections and stop listening."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._guard:
            pairs = list(self._pairs)
            self._open.set()
        for pair in pairs:
            pair.reset()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            pair = Pair(browser)
            with self._guard:
                way = self._way
                self._pairs.add(pair)
            if way == "reset":
                self._forget(pair)
            else:
                threading.Thread(target=self._serve, args=(pair,), daemon=True).start()

    def _serve(self, pair: Pair) -> None:
        self._open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            self._forget(pair)  # nobody listens there: the browser hears so at once
            return
        for end in (pair.browser, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair.server = server
        back = threading.Thread(target=self._pump, args=(pair, server, pair.browser), daemon=True)
        back.start()
        self._pump(pair, pair.browser, server)
        back.join()
        self._forget(pair, at_once=pair.dead)

    def _pump(self, pair: Pair, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                self._open.wait()
                if pair.dead:
                    pair.reset()
                    return
                sink.sendall(data)
            self._open.wait()
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pair.reset()

    def _forget(self, pair: Pair, *, at_once: bool = True) -> None:
        if at_once:
            pair.reset()
        else:
            pair.close()
        with self._guard:
            self._pairs.discard(pair)


class Pair:
    """The two ends of one connection."""

    def __init__(self, browser: socket.socket) -> None:
        self.browser = browser
        self.server: socket.socket | None = None
        self.dead = False
        self.swallowed = False

    def reset(self) -> None:
        """End both with a reset, which also wakes whoever waits for them."""
        for end in (self.browser, self.server):
            if end is None:
                continue
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RD)
            end.close()

    def close(self) -> None:
        """End both in order: what was sent still arrives."""
        for end in (self.browser, self.server):
            if end is not None:
                end.close()
