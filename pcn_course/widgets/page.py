"""HTML to be shown inside a page, which may neither run nor fetch anything."""

from __future__ import annotations

import re
from html import escape

_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src data:; font-src data:\">"
)
_STYLE = "<style>body{margin:1rem;color:#1d2a2f;font:1rem/1.6 system-ui,sans-serif}</style>"


def as_page(html: str, title: str) -> str:
    """``html``, a fragment or a whole document, as a document that reaches no other host."""
    if re.search(r"<head[\s>]", html, re.IGNORECASE):
        return re.sub(r"(<head(?:\s[^>]*)?>)", rf"\1{_POLICY}", html, count=1, flags=re.IGNORECASE)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{_POLICY}'
        f"<title>{escape(title)}</title>{_STYLE}</head><body><main>{html}</main></body></html>"
    )
