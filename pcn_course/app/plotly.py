"""plotly.js for the interactive map, from our own host, and only when somebody asks for it.

The file comes with the Python package plotly, which is never imported: that takes a second.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import importlib.metadata
import importlib.util
import zlib
from pathlib import Path

from jupyter_server.base.handlers import JupyterHandler
from tornado import web

_FOR_A_YEAR = "private, max-age=31536000, immutable"


class PlotlyHandler(JupyterHandler):
    """The file, compressed once for all who ask.

    With ``?v=<its version>`` a browser keeps it for a year; without, it asks each time whether its
    copy is still the right one.
    """

    zipped = True

    @web.authenticated
    async def get(self) -> None:
        """Send it; 404 in plain words where the package is missing."""
        found = await asyncio.get_running_loop().run_in_executor(None, plotly_file)
        if found is None:
            self.set_status(404)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish("The interactive view is not installed here.\n")
            return
        version, content = found
        self._etag = f'"plotly-{version}-{zlib.crc32(content):08x}'
        self.zipped = "gzip" in self.request.headers.get("Accept-Encoding", "")
        asked = self.get_query_argument("v", "")
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", _FOR_A_YEAR if asked == version else "private, no-cache")
        self.set_header("Vary", "Accept-Encoding")
        if self.zipped:
            self.set_header("Content-Encoding", "gzip")
            self.finish(content)
        else:
            self.finish(gzip.decompress(content))

    def compute_etag(self) -> str | None:
        """The version, and how it is sent: no need to read megabytes for it."""
        etag: str | None = getattr(self, "_etag", None)
        return etag and etag + ('-gzip"' if self.zipped else '"')


@functools.cache
def plotly_file() -> tuple[str, bytes] | None:
    """The version of plotly and its plotly.min.js, gzipped; ``None`` where there is none."""
    spec = importlib.util.find_spec("plotly")
    if spec is None or not spec.origin:
        return None
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js"
    try:
        content = path.read_bytes()
        version = importlib.metadata.version("plotly")
    except (OSError, importlib.metadata.PackageNotFoundError):
        return None
    # Without a time in it, so that the same file is the same bytes after a restart.
    return version, gzip.compress(content, 9, mtime=0)
