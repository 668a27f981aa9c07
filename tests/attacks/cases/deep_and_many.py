"""Two thousand files, and folders in folders."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for number in range(2000):
        scene.add(f"many/{number}.txt", "x")
    scene.add("/".join(["deep"] * 200) + "/x.txt", "x")
