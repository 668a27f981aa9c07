"""A notebook that is a link, so that writing it would write elsewhere."""

from __future__ import annotations

from tests.attacks.scene import NOTEBOOK, Scene


def lay(scene: Scene) -> None:
    (scene.folder / NOTEBOOK).unlink()
    (scene.folder / NOTEBOOK).symlink_to(scene.secret)
    (scene.folder / "timestamp.txt").unlink()
    (scene.folder / "timestamp.txt").symlink_to(scene.secret)
