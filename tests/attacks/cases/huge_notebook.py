"""A notebook of 100 MB."""

from __future__ import annotations

from tests.attacks.scene import NOTEBOOK, Scene


def lay(scene: Scene) -> None:
    with (scene.folder / NOTEBOOK).open("wb") as file:
        file.write(b'{"cells": [], "metadata": {"x": "')
        for _ in range(100):
            file.write(b"A" * 1_000_000)
        file.write(b'"}, "nbformat": 4, "nbformat_minor": 5}')
