"""A notebook that names a kernel, a language and widgets of its own."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    notebook["metadata"]["kernelspec"] = {
        "name": "../../evil",
        "display_name": "x",
        "language": "bash",
        "argv": ["touch", "ran"],
    }
    notebook["metadata"]["language_info"] = {"name": "bash", "version": "5"}
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    scene.write_notebook(notebook)
