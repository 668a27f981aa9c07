"""Folders where files should be."""

from __future__ import annotations

from tests.attacks.scene import NOTEBOOK, Scene


def lay(scene: Scene) -> None:
    for name in ("answers.json", NOTEBOOK, "timestamp.txt"):
        (scene.folder / name).unlink(missing_ok=True)
        (scene.folder / name).mkdir()
        (scene.folder / name / "x").write_text("x")
