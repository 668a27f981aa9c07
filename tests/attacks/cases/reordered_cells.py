"""Cells in another order, with code in what is now first."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    notebook["cells"].reverse()
    notebook["cells"][0] |= {"cell_type": "code", "outputs": [], "execution_count": None}
    notebook["cells"][0]["source"] = scene.code
    scene.write_notebook(notebook)
