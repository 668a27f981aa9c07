"""The widgets' scripts and styles: fetched once, compressed, and kept by the browser."""

from __future__ import annotations

import functools
import gzip

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from pcn_course.assets import WIDGETS, asset

# The name changes with the content, so what is kept is never out of date.
_FOR_A_YEAR = "private, max-age=31536000, immutable"


class WidgetHandler(JupyterHandler):
    """A widget's file, by the name that its kernel and its page know."""

    @web.authenticated
    async def get(self, file: str) -> None:
        """Send it; 404 for a name of another version, whose kernel then sends its own."""
        name, _, _ = file.partition("-")
        if name not in WIDGETS or asset(name).file != file:
            raise web.HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", _FOR_A_YEAR)
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(_zipped(name))
        else:
            self.finish(asset(name).content)


@functools.cache
def _zipped(name: str) -> bytes:
    return gzip.compress(asset(name).content, 9, mtime=0)
