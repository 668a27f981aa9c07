"""A second name for a file of the instructor's."""

from __future__ import annotations

import os

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    (scene.folder / "answers.json").unlink()
    os.link(scene.secret, scene.folder / "answers.json")
    os.link(scene.secret, scene.folder / "secret.txt")
