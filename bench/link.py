"""A slow line, honestly slow: everything between browser and server goes through it.

What browsers offer for this does not hold back all that travels on a websocket. This is a TCP
proxy instead, so pages, scripts and websockets share one line, as they do at home.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple, Self

_SEGMENT = 1448  # bytes: what one packet carries, so that connections share the line fairly
_CHUNK = 65536  # bytes read at once where nothing is held back


class Speed(NamedTuple):
    """How fast a line is, in each direction. Zeros hold nothing back."""

    kbits: float = 0
    """Thousand bits in a second."""
    round_trip: float = 0
    """Seconds from a question to the first byte of its answer."""

    def __str__(self) -> str:
        """As a reader of the bench's table would say it."""
        return f"{self.kbits:g} kbit/s and {1000 * self.round_trip:g} ms"


class Traffic(NamedTuple):
    """What has gone through a line: bytes to and from the browser, and connections."""

    down: int
    up: int
    connections: int

    @property
    def both(self) -> int:
        """Bytes in both directions."""
        return self.down + self.up


class Link:
    """A line from a port of its own to ``target``, a port of this machine. Use it in a ``with``.

    Each direction is one queue for all connections. Opening a connection takes a round trip, and so
    does a question with its answer. TCP's slow start is not imitated: on a line of this kind it
    would cost little.
    """

    def __init__(self, target: int, speed: Speed = Speed()) -> None:  # noqa: B008 (immutable)
        self.target = target
        self.speed = speed
        self.port = 0
        self._down = _Lane(speed)
        self._up = _Lane(speed)
        self._connections = 0
        self._stop: Callable[[], object] = lambda: None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        if not self._begun.wait(10):
            raise TimeoutError("the line did not open")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all connections."""
        self._stop()
        self._thread.join(10)

    @property
    def traffic(self) -> Traffic:
        """What has arrived until now."""
        return Traffic(self._down.arrived, self._up.arrived, self._connections)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        stopped = asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
        tasks: set[asyncio.Task[None]] = set()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._carry(reader, writer))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=_CHUNK)
        self.port = server.sockets[0].getsockname()[1]
        self._begun.set()
        await stopped.wait()
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry(self, browser: asyncio.StreamReader, to_browser: asyncio.StreamWriter) -> None:
        self._connections += 1
        to_server: asyncio.StreamWriter | None = None
        try:
            # The browser's connect() has succeeded here already; over the line it would take this.
            await asyncio.sleep(self.speed.round_trip)
            server, to_server = await asyncio.open_connection(
                "127.0.0.1", self.target, limit=_CHUNK
            )
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._up.carry(browser, to_server))
                ways.create_task(self._down.carry(server, to_browser))
        except* OSError:
            pass  # one of the two has left
        finally:
            for end in (to_browser, to_server):
                if end is not None:
                    end.close()


class _Lane:
    """One direction of the line."""

    def __init__(self, speed: Speed) -> None:
        self.arrived = 0
        self._seconds_per_byte = 8 / (1000 * speed.kbits) if speed.kbits else 0.0
        self._delay = speed.round_trip / 2
        self._free_at = 0.0

    async def carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        """Bring all of ``source`` to ``sink``, in its time, then close that."""
        now = asyncio.get_running_loop().time
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                at, data = await on_the_way.get()
                await asyncio.sleep(at - now())
                if not data:
                    with contextlib.suppress(OSError):
                        sink.write_eof()
                    return
                sink.write(data)
                self.arrived += len(data)
                await sink.drain()

        arriving = asyncio.ensure_future(arrive())
        try:
            data = b"."
            while data:
                data = await source.read(_SEGMENT if self._seconds_per_byte else _CHUNK)
                self._free_at = max(self._free_at, now()) + len(data) * self._seconds_per_byte
                on_the_way.put_nowait((self._free_at + self._delay, data))
                # Nothing else is read from here until this has left: others get their turn.
                await asyncio.sleep(self._free_at - now())
            await arriving
        finally:
            arriving.cancel()
