"""Text cells made code cells, and code cells text."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["cell_type"] = "markdown"
            del cell["outputs"], cell["execution_count"]
        else:
            cell |= {"cell_type": "code", "outputs": [], "execution_count": 1}
            cell["source"] = scene.code
    scene.write_notebook(notebook)
