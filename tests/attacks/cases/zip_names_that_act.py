"""Names in a ZIP that clear the screen and forge a line of the log."""

from __future__ import annotations

from tests.attacks.scene import ACTING, Scene


def pack(scene: Scene) -> bytes:
    return scene.packed({ACTING: "x", f"{ACTING}.zip": "no ZIP", f"{ACTING}answers.json": "{}"})
