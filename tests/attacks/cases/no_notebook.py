"""Answers alone: no notebook at all."""

from __future__ import annotations

from tests.attacks.scene import NOTEBOOK, Scene


def lay(scene: Scene) -> None:
    (scene.folder / NOTEBOOK).unlink()
