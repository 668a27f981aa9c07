"""A time that is none, where nbgrader looks for one."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    scene.add("timestamp.txt", "the 32nd of nothing")
