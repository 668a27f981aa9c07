"""A notebook that is none, and others beside it."""

from __future__ import annotations

from tests.attacks.scene import NOTEBOOK, Scene


def lay(scene: Scene) -> None:
    scene.add(NOTEBOOK, '{"cells": [')
    scene.add("another.ipynb", "[]")
    scene.add("step-2-connections.ipynb", "{}")
