"""Cells before and after the course's own."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    notebook["cells"].insert(0, scene.code_cell())
    notebook["cells"].append(scene.code_cell())
    scene.write_notebook(notebook)
