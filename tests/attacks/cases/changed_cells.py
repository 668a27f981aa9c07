"""The course's own cells with other code in them."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["source"] = f"{scene.code}\n20.0"
    scene.write_notebook(notebook)
