"""Pictures that a page sends along for a document: only what can do nothing is taken."""

from __future__ import annotations

import base64
import binascii
from html import escape
from xml.etree import ElementTree as ET

MAX_SVG = 1_000_000
"""Characters of the longest drawing that is taken."""
MAX_PNG = 3_000_000
"""Bytes of the largest picture that is taken."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SVG = "{http://www.w3.org/2000/svg}"
_ELEMENTS = {
    *("svg", "g", "defs", "path", "circle", "ellipse", "rect", "line", "polygon", "polyline"),
    *("text", "tspan", "textPath", "title", "desc"),
}
_LINK = ("href", "{http://www.w3.org/1999/xlink}href")


def safe_svg(text: str | None) -> str:
    """The drawing, written anew as it may stand in an HTML page; empty when it can't be trusted.

    It must be well-formed XML without a document type; of known shapes and texts; without styles,
    scripts, events, animations, and addresses of anything outside of itself.
    """
    if not text or len(text) > MAX_SVG or "<!DOCTYPE" in text.upper():
        return ""
    try:
        root = ET.fromstring(text)  # noqa: S314 (without a document type there are no entities)
        if root.tag != f"{_SVG}svg":
            return ""
        return _written(root, xmlns="http://www.w3.org/2000/svg")
    except (ET.ParseError, ValueError, RecursionError):
        return ""


def png(data: str | None) -> bytes | None:
    """The picture in ``data`` (base64); ``None`` when it is no PNG, or too large."""
    if not data or len(data) > MAX_PNG * 4 // 3 + 4:
        return None
    try:
        content = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return None
    fits = content.startswith(_SIGNATURE) and len(content) <= MAX_PNG
    return content if fits else None


def _written(element: ET.Element, **more: str) -> str:
    """An element as markup that XML and HTML read in the same way.

    Raises:
        ValueError: it, or something in it, has no place in a drawing.
    """
    tag = element.tag.removeprefix(_SVG)
    if tag not in _ELEMENTS:
        raise ValueError(tag)
    attributes = dict(more)
    for name, value in element.attrib.items():
        plain = "href" if name in _LINK else name
        if plain == "href" and not value.startswith("#"):
            raise ValueError(name)
        if plain.startswith(("on", "{")) or plain == "style" or "url(" in value.lower():
            raise ValueError(name)
        attributes[plain] = value
    words = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items())
    inside = escape(element.text or "", quote=False)
    inside += "".join(_written(one) + escape(one.tail or "", quote=False) for one in element)
    return f"<{tag}{words}>{inside}</{tag}>"
