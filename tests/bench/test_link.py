"""The slow line of the benches is as slow as it says, for everybody on it together."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bench.link import Link, Speed

SLOW = Speed(kbits=800, round_trip=0.2)  # 100,000 bytes in a second
PAGE = bytes(range(250)) * 100


@pytest.fixture
def server() -> Iterator[int]:
    """A port that answers each line that it is sent with a page, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                one, _ = listener.accept()
            except OSError:
                return
            with one, one.makefile("rwb") as file:
                file.readline()
                file.write(PAGE)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def fetch(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as one, one.makefile("rwb") as file:
        file.write(b"a page, please\n")
        file.flush()
        return file.read()


def seconds_of_fetching(port: int, visitors: int) -> float:
    got: list[bytes] = []
    threads = [threading.Thread(target=lambda: got.append(fetch(port))) for _ in range(visitors)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == visitors * [PAGE]
    return time.monotonic() - begun


def test_a_page_takes_two_round_trips_and_its_bytes(server: int) -> None:
    with Link(server, SLOW) as line:
        seconds = seconds_of_fetching(line.port, visitors=1)
        assert line.traffic == (len(PAGE), len(b"a page, please\n"), 1)
    assert seconds >= 2 * 0.2 + 0.25


def test_connections_share_the_line(server: int) -> None:
    with Link(server, SLOW) as line:
        seconds = seconds_of_fetching(line.port, visitors=4)
        assert line.traffic.down == 4 * len(PAGE)
        assert line.traffic.connections == 4
    assert seconds >= 2 * 0.2 + 4 * 0.25


def test_without_a_speed_all_passes_as_it_came(server: int) -> None:
    with Link(server) as line:
        seconds_of_fetching(line.port, visitors=4)
        assert line.traffic.down == 4 * len(PAGE)


def test_a_server_that_is_not_there_ends_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with Link(port, SLOW) as line, contextlib.suppress(ConnectionError):
        assert fetch(line.port) == b""
