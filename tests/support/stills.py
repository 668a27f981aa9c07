"""Pictures of what a test sees: ``PCN_STILLS=folder make test``.

They are for people to look at. Without the variable nothing is taken.
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

WIDTHS = (1280, 360)


def still(page: Page, name: str) -> None:
    """Take ``page`` as a reader sees it, wide and on a phone."""
    folder = os.environ.get("PCN_STILLS")
    if not folder:
        return
    before = page.viewport_size
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900 if width > 600 else 740})
        page.screenshot(path=Path(folder) / f"{name}-{width}.png")
    if before:
        page.set_viewport_size(before)
