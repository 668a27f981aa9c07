"""Answers that are a link to what only the instructor may read."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    (scene.folder / "answers.json").unlink()
    (scene.folder / "answers.json").symlink_to(scene.secret)
    (scene.folder / "more").symlink_to(scene.secret.parent)
