"""From where a request may come that costs a kernel.

A login cookie doesn't tell ports of one machine apart, and ``SameSite`` means the site, not the
origin: a page that another program serves on another port could start kernels with an image, a
frame or a fetch. Browsers say in Fetch Metadata (https://www.w3.org/TR/fetch-metadata/) who asks
and for what. Those that don't are judged by ``Origin``, which they send with most of these; without
either, a request is answered as before.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from tornado import web

_OWN = {"same-origin", "none"}
"""Values of ``Sec-Fetch-Site``: our own pages, and what the user typed or opened themselves."""


def refuse_other_sites(handler: web.RequestHandler) -> None:
    """Let pass what our own pages ask, and links that people follow from anywhere to a whole page.

    Raises:
        HTTPError: 403, for what another origin's page asks by itself.
    """
    headers = handler.request.headers
    site = headers.get("Sec-Fetch-Site")
    if site is None:
        origin = headers.get("Origin")
        refused = origin is not None and urlsplit(origin).netloc != headers.get("Host")
    else:
        follows_link = (headers.get("Sec-Fetch-Mode"), headers.get("Sec-Fetch-Dest")) == (
            *("navigate", "document"),
        )
        refused = site not in _OWN and not follows_link
    if refused:
        raise web.HTTPError(403, "Asked by a page of another origin")
