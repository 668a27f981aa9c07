"""HTML to be shown inside a page, which may neither run nor fetch anything."""

from __future__ import annotations

import re
from html import escape

_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)
_STYLE = (
    '<meta name="color-scheme" content="light dark"><style>'
    "body{--paper:#fff;--line:#dedcd3;margin:1rem;color:#1d2a2f;background:var(--paper);"
    "font:1rem/1.6 system-ui,sans-serif}"
    "@media screen and (prefers-color-scheme:dark)"
    "{body{--paper:#1a2326;--line:#324044;color:#e8ecea}}"
    # A wide table keeps its first column in sight.
    "table{border-collapse:collapse}caption{text-align:left}"
    "th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top;min-width:6rem}"
    "tbody th{position:sticky;left:0;background:var(--paper)}</style>"
)


def as_page(html: str, title: str) -> str:
    """``html``, a fragment or a whole document, as a document that reaches no other host."""
    if re.search(r"<head[\s>]", html, re.IGNORECASE):
        return re.sub(r"(<head(?:\s[^>]*)?>)", rf"\1{_POLICY}", html, count=1, flags=re.IGNORECASE)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{_POLICY}'
        f"<title>{escape(title)}</title>{_STYLE}</head><body><main>{html}</main></body></html>"
    )
