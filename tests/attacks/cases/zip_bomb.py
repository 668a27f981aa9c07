"""A ZIP that unpacks to a gigabyte."""

from __future__ import annotations

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    zeros = bytes(100_000_000)
    return scene.packed({f"zeros-{number}": zeros for number in range(5)})
