"""A module of the standard library's name beside the answers."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    scene.add("json.py", scene.code)
    scene.add("json/__init__.py", scene.code)
