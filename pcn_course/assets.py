"""Scripts and styles of the widgets: for each widget one file, which the page's server gives out.

A browser fetches it once, compressed, and keeps it, so the second step already has it. Where no
server of ours is (JupyterLab, stock Voilà), the kernel sends the same file as a message. The module
that anywidget wants (``_esm``) is but the loader that knows both ways. ``make static`` builds all
of them from the modules in ``widgets/`` (``scripts/bundle.mjs``); what it builds is committed, so
that whoever installs or runs the course needs no Node.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple

WIDGETS = ("form", "home", "portfolio", "marking", "cohort", "agreement")
"""The widgets: each begins with the module and the style sheet of its name."""
PAGES = {"step": "form", "portfolio": "portfolio", "example": "portfolio"}
"""Which widget's file a page needs, by the kind of page that a notebook's metadata names."""
ROOM_PAGES = {"marking": "marking", "cohort": "cohort", "agreement": "agreement"}
"""The same for the pages that instructors open."""
SMALL = 8000
"""Bytes below which a widget's file is not worth a request: its loader brings it along."""
STATIC = Path(__file__).parent / "static"
"""The folder of the built files."""


class Asset(NamedTuple):
    """A widget's file: its name, which changes with its content, and that content (UTF-8)."""

    file: str
    content: bytes


@functools.cache
def asset(name: str) -> Asset:
    """The file of the widget ``name``, one of ``WIDGETS``.

    It is one ES module that exports ``render`` (and ``css``): a browser keeps a module compiled
    that it knows by its address. Our pages have the shared look already.

    Raises:
        OSError: it can't be read.
    """
    content = (STATIC / f"{name}.js").read_bytes()
    return Asset(f"{name}-{hashlib.sha256(content).hexdigest()[:16]}.js", content)


def whole(name: str) -> bytes:
    """A widget's file for a page without the shared look: the module exports that, too."""
    look = json.dumps((STATIC / "look.css").read_text("utf-8").rstrip(), ensure_ascii=False)
    return asset(name).content + f"export const look={look};\n".encode()


def loader(name: str) -> str:
    """The ES module that a widget has as ``_esm``: it fetches the widget's file and begins."""
    packed = deflated(whole(name))
    brought = packed if len(packed) < SMALL else ""
    constants = f'const PCN_FILE="{asset(name).file}",PCN_BROUGHT="{brought}";'
    return constants + (STATIC / "loader.js").read_text("utf-8")


def pack(content: Any) -> str:
    """``content`` as JSON, deflated, in base64: what the page's ``inflate`` reads.

    Nothing compresses what a kernel sends, and a slow line feels each kilobyte.
    """
    return deflated(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def deflated(content: bytes) -> str:
    """``content`` deflated, in base64."""
    return base64.b64encode(zlib.compress(content, 9)).decode()
