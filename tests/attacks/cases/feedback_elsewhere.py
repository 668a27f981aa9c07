"""A secret for feedback that is a path."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for name in ("submission_secret.txt", ".secret"):
        scene.add(name, f"../../../../{scene.victim}")
