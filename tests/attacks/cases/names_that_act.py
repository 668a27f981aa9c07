"""Files whose names are no UTF-8, or move a terminal's cursor and begin a line of their own."""

from __future__ import annotations

import os

from tests.attacks.scene import ACTING, Scene


def lay(scene: Scene) -> None:
    scene.add(os.fsdecode(b"caf\xe9\x1b[2J.ipynb"), "{}")
    scene.add(ACTING, "x")
