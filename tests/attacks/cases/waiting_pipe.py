"""Answers that are a pipe, on which a reader would wait for ever."""

from __future__ import annotations

import os

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    (scene.folder / "answers.json").unlink()
    os.mkfifo(scene.folder / "answers.json")
    os.mkfifo(scene.folder / "another.txt")
