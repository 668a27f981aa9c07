"""Pages stay light: how often they ask, and how much comes, on a first visit with an empty cache.

Everything counts: HTTP with its headers, and each frame of the websocket in both directions as the
page sees it. Times are `make bench`'s affair; they depend on the machine.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from bench.link import Speed
from bench.page import MOST_BYTES, MOST_REQUESTS
from bench.support import OurApp
from bench.visit import Sign, visitor
from pcn_course.course import default_root, load_course

pytestmark = pytest.mark.browser
STEPS = [step.path for step in load_course(default_root()).steps]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OurApp]:
    folder = tmp_path_factory.mktemp("budget")
    nowhere = str(folder / "jupyter")
    settings = {"JUPYTER_CONFIG_DIR": nowhere, "JUPYTER_DATA_DIR": nowhere}
    with OurApp(folder / "workspace", course=default_root(), **settings) as server:
        yield server


@pytest.mark.parametrize("path", ["", *STEPS])
def test_a_first_visit_asks_little_and_brings_little(
    chromium: Browser, server: OurApp, path: str
) -> None:
    if path:
        address, sign, cookies = server.url(path), Sign(), server.cookies(server.port)
    else:  # the address with the key, which leads to home
        address, sign, cookies = server.address, Sign(first=".pcn-card"), []
    with visitor(chromium, cookies) as open_tab:
        tab = open_tab(address, sign, Speed())
        assert tab.is_ready(within=60), tab.shown()
        tab.settle()

    weight = tab.weight
    assert weight.requests <= MOST_REQUESTS
    assert weight.foreign == 0
    print(path, weight.total)
    assert weight.total <= MOST_BYTES, weight.items.most_common()
    # That something was counted at all:
    assert weight.requests >= 3
    assert weight.http > 3000
    assert weight.received > 3000
