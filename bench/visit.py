"""One visit of a page in a real Chromium: what it asked for, what that weighed, how long it took.

    with visitor(browser, cookies) as open_tab:
        tab = open_tab(address, sign, speed)
        if tab.is_ready(within=20):
            seconds = tab.type_first()

Bytes are those that the browser's own protocol reports: for HTTP what came over the line, as
compressed as it was, with its headers; for websockets the payloads of all frames in both
directions, as the page sees them, before any compression.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page
from playwright.sync_api import Error as PlaywrightError

from bench.link import Speed

# In the page: note when the first thing can be used, when a typed character stands in it, when
# the last key came, and when the page says after it that all is saved.
_WATCH = """
(() => {
  if (window !== top) return;
  const seen = window.bench = { ready: 0, key: 0, usable: 0, last: 0, saved: 0, first: null };
  const wanted = %(saved)s;
  let pending = false;
  const look = () => {
    if (!seen.ready) {
      const first = document.querySelector(%(first)s);
      if (first && !first.disabled && !first.readOnly && !first.closest("[inert]") &&
          first.getClientRects().length &&
          first.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) {
        seen.first = first;
        seen.ready = performance.now();
      }
    } else if (seen.last && !seen.saved) {
      const done = wanted(seen.first);
      if (!done) pending = true;
      if (done && (pending || !%(lags)s)) seen.saved = performance.now();
    }
  };
  addEventListener("keydown", ({ timeStamp }) => { seen.key = timeStamp; }, true);
  addEventListener("input", ({ target }) => {
    if (target !== seen.first) return;
    seen.last = performance.now();
    seen.saved = 0;
    pending = false;
    // How long the browser's driver took to send the key is no matter of the page.
    if (!seen.usable && target.value) seen.usable = seen.ready + seen.last - seen.key;
  }, true);
  setInterval(look, 4);
})();
"""


class PageFailedError(Exception):
    """A page did not do at all what it is for."""


@dataclass(frozen=True)
class Sign:
    """By what one sees that a page can be used, and that it has saved what was typed."""

    first: str = "textarea"
    """The selector of the first thing that a visitor wants."""
    saved: str = "() => false"
    """A JavaScript function from that thing to whether the page says that all is saved."""
    lags: bool = False
    """Whether that may still be said of earlier keys: then only its return counts."""


@dataclass
class Weight:
    """What a visit asked for and what came: counts, and bytes."""

    requests: int = 0
    """HTTP requests that left the browser, redirects included, and websockets."""
    foreign: int = 0
    """Those of them that asked another host."""
    http: int = 0
    """Bytes over the line, compressed, with headers."""
    http_unpacked: int = 0
    """Bytes of bodies as the page sees them."""
    received: int = 0
    """Bytes of websocket payloads from the server."""
    sent: int = 0
    """Bytes of websocket payloads to the server."""
    items: Counter[str] = field(default_factory=Counter)
    """Bytes by address or kind of message."""

    @property
    def total(self) -> int:
        """Bytes of HTTP and websocket together."""
        return self.http + self.received + self.sent


class Tab:
    """One page that is being watched."""

    def __init__(self, page: Page, sign: Sign, speed: Speed) -> None:
        self.page = page
        self.weight = Weight()
        self._paths: dict[str, str] = {}
        self._last_news = time.monotonic()
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._listen()
        if speed.kbits:
            bytes_per_second = speed.kbits * 1000 / 8
            self._cdp.send(
                "Network.emulateNetworkConditions",
                {
                    "offline": False,
                    "latency": 1000 * speed.round_trip,
                    "downloadThroughput": bytes_per_second,
                    "uploadThroughput": bytes_per_second,
                },
            )
        words = {
            "first": json.dumps(sign.first),
            "saved": sign.saved,
            "lags": json.dumps(sign.lags),
        }
        page.add_init_script(_WATCH % words)

    def go(self, address: str) -> None:
        """Begin to load ``address``."""
        self._host = urllib.parse.urlsplit(address).netloc
        try:
            self.page.goto(address, wait_until="commit", timeout=100_000)
        except PlaywrightError as error:
            raise PageFailedError(f"{address} did not load: {error.message}") from error

    def is_ready(self, within: float) -> bool:
        """Whether the first thing can be seen, and typed in if it is a field, within that time."""
        return self._happens("ready", within)

    def type_first(self) -> float:
        """Type a character; the seconds until the field could take it, and the key took effect.

        They count from the visit's begin: until the field was there, and from the key to its
        character in the field.
        """
        self.page.evaluate("window.bench.first.focus()")
        self.page.keyboard.press("End")
        self.page.keyboard.press("a")
        if not self._happens("usable", 20):
            raise PageFailedError("the first field took no character")
        return self._moment("usable") / 1000

    def type_more(self, text: str) -> float:
        """Type at a brisk pace; the seconds from the last key until the page says it is saved.

        What was typed before is waited for, so that all begins with a page at rest.
        """
        if not self._happens("saved", 60):
            raise PageFailedError("what was typed was never called saved")
        self.page.keyboard.type(text, delay=25)
        if not self._happens("saved", 60):
            raise PageFailedError("what was typed was never called saved")
        if not self.page.evaluate("(text) => window.bench.first.value.includes(text)", text):
            raise PageFailedError("what was typed is not in the field")
        return (self._moment("saved") - self._moment("last")) / 1000

    def shown(self) -> str:
        """Where the browser is and the beginning of what it shows, for the report of a failure."""
        text: str = self.page.evaluate("document.body?.innerText ?? ''")
        return f"{self.page.url} shows: {' '.join(text.split())[:300]}"

    def settle(self, quiet: float = 1.0, within: float = 20.0) -> None:
        """Wait until nothing has come or gone for a while."""
        end = time.monotonic() + within
        while time.monotonic() < end and time.monotonic() - self._last_news < quiet:
            self.page.wait_for_timeout(50)

    def _happens(self, name: str, within: float) -> bool:
        """Whether the page notes this moment in time. Its own security lets no one wait inside."""
        end = time.monotonic() + within
        while not self._moment(name):
            if time.monotonic() > end:
                return False
            self.page.wait_for_timeout(10)
        return True

    def _moment(self, name: str) -> float:
        try:
            value: float = self.page.evaluate(f"window.bench ? window.bench.{name} : 0")
        except PlaywrightError:  # the page is just being replaced
            return 0
        return value

    def _listen(self) -> None:
        on: dict[str, Callable[[dict[str, Any]], None]] = {
            "Network.requestWillBeSent": self._on_request,
            "Network.requestServedFromCache": self._on_cached,
            "Network.dataReceived": self._on_data,
            "Network.loadingFinished": self._on_finished,
            "Network.webSocketCreated": self._on_socket,
            "Network.webSocketFrameReceived": lambda event: self._on_frame(event, sent=False),
            "Network.webSocketFrameSent": lambda event: self._on_frame(event, sent=True),
        }
        for name, act in on.items():
            self._cdp.on(name, act)
        self._cdp.send("Network.enable")

    def _count(self, address: str, number: int = 1) -> None:
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https", "ws", "wss"):
            return
        self.weight.requests += number
        if parts.netloc != self._host:
            self.weight.foreign += number

    def _on_request(self, event: dict[str, Any]) -> None:
        self._last_news = time.monotonic()
        # A redirect comes as another request of the same id; its answer's bytes come with it.
        if redirect := event.get("redirectResponse"):
            self._add("http", redirect["url"], int(redirect.get("encodedDataLength", 0)))
        address = event["request"]["url"]
        self._paths[event["requestId"]] = address
        self._count(address)

    def _on_cached(self, event: dict[str, Any]) -> None:
        self._count(self._paths.get(event["requestId"], ""), -1)

    def _on_data(self, event: dict[str, Any]) -> None:
        self._last_news = time.monotonic()
        self.weight.http_unpacked += event["dataLength"]

    def _on_finished(self, event: dict[str, Any]) -> None:
        self._last_news = time.monotonic()
        address = self._paths.get(event["requestId"], "")
        if address.startswith("http"):
            self._add("http", address, int(event["encodedDataLength"]))

    def _on_socket(self, event: dict[str, Any]) -> None:
        self._count(event["url"])

    def _on_frame(self, event: dict[str, Any], *, sent: bool) -> None:
        self._last_news = time.monotonic()
        frame = event["response"]
        text = frame["payloadData"]
        size = len(text.encode() if frame["opcode"] == 1 else base64.b64decode(text))
        self._add("sent" if sent else "received", _kind(text, sent=sent), size)

    def _add(self, where: str, name: str, size: int) -> None:
        setattr(self.weight, where, getattr(self.weight, where) + size)
        self.weight.items[urllib.parse.urlsplit(name).path if "//" in name else name] += size


@contextlib.contextmanager
def visitor(
    browser: Browser, cookies: Iterable[Any] = ()
) -> Iterator[Callable[[str, Sign, Speed], Tab]]:
    """A person with a browser of their own, its cache empty at first: opens pages, one by one."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.add_cookies(list(cookies))

    def open_tab(address: str, sign: Sign, speed: Speed) -> Tab:
        for page in context.pages:
            page.close()
        tab = Tab(context.new_page(), sign, speed)
        tab.go(address)
        return tab

    try:
        yield open_tab
    finally:
        context.close()


def _kind(payload: str, *, sent: bool) -> str:
    """What a message on a kernel's socket is, in two or three words."""
    way = "to the kernel" if sent else "from the kernel"
    try:
        message = json.loads(payload)
        data = message["content"].get("data") or {}
        inner = data.get("content")
        detail = (inner.get("type") if isinstance(inner, dict) else None) or data.get("method", "")
        return f"{way}: {message['header']['msg_type']} {detail}".rstrip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{way}: another message"
