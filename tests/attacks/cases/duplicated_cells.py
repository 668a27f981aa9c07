"""Each graded cell twice, the second one with code and full points."""

from __future__ import annotations

import json

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    graded = [one for one in notebook["cells"] if "nbgrader" in one["metadata"]]
    for cell in graded:
        copied = json.loads(json.dumps(cell))
        copied["source"] = scene.code
        copied["metadata"]["nbgrader"]["points"] = 20
        notebook["cells"].append(copied)
    scene.write_notebook(notebook)
