"""A ZIP that says one thing in its list and another beside its contents."""

from __future__ import annotations

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    made = bytearray(scene.packed({"more.txt": "x" * 1000}))
    made[made.index(b"answers.json") : made.index(b"answers.json") + 12] = b"forgery.json"
    return bytes(made[:-30] + made[-22:])
