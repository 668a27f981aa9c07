"""What pages ask for, and of whom.

witness = Witness(context)
… visit pages …
assert witness.others("127.0.0.1") == []
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Page

INSIDE = ("data", "blob", "about", "srcdoc", "javascript")
_LOADS = {"src", "srcset", "data", "poster", "background", "action", "formaction", "manifest"}
_CSS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class Witness:
    """Sees each request and each websocket of all pages of a browser context.

    Also of those that fail, as all do that leave a machine without a network.
    """

    def __init__(self, context: BrowserContext) -> None:
        """Look from now on."""
        self.asked: list[str] = []
        self.said: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("console", lambda message: self.said.append(message.text))
        context.on("page", self._watch)
        for page in context.pages:
            self._watch(page)

    def others(self, host: str) -> list[str]:
        """The addresses outside of ``host`` (``name:port``) that were asked for."""
        return [url for url in self.asked if foreign(url, host)]

    @property
    def refused(self) -> list[str]:
        """What browsers said about requests that a page's own policy refused."""
        return [text for text in self.said if "Content Security Policy" in text]

    def _watch(self, page: Page) -> None:
        page.on("websocket", lambda socket: self.asked.append(socket.url))


class Resources(HTMLParser):
    """The addresses that an HTML source would load, in frames written into it, too.

    Plain links are left out: following one is the reader's own choice.
    """

    def __init__(self, html: str) -> None:
        """Read ``html``."""
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in_style = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        for name, value in attrs:
            if not value:
                continue
            if name in _LOADS:
                parts = value.split(",") if name == "srcset" else [value]
                self.found += [part.split()[0] for part in parts if part.strip()]
            elif name in ("href", "xlink:href") and tag not in ("a", "area"):
                self.found.append(value)
            elif name == "style":
                self._css(value)
            elif name == "srcdoc":
                self.found += Resources(value).found
            elif tag == "meta" and name == "content":
                self.found += re.findall(r"(?i)\burl=(\S+)", value)

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self._css(data)

    def handle_endtag(self, _tag: str) -> None:
        self._in_style = False

    def _css(self, text: str) -> None:
        self.found += css_addresses(text)


def css_addresses(text: str) -> list[str]:
    """The addresses that a style sheet would load."""
    return [one or other for one, other in _CSS.findall(text)]


def foreign(url: str, host: str) -> bool:
    """Whether ``url``, absolute or relative to ``host``, leads to another host."""
    parts = urlsplit(url.strip())
    return parts.scheme not in INSIDE and parts.netloc not in ("", host)
