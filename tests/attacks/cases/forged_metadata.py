"""Points, locks and checksums of the graded cells as the student likes them."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    for cell in notebook["cells"]:
        cell["metadata"]["nbgrader"] = {
            "grade": True,
            "grade_id": "structure",
            "locked": False,
            "points": 4000,
            "schema_version": 3,
            "solution": True,
            "task": False,
            "checksum": "0" * 32,
            "cell_type": "code",
        }
    notebook["metadata"]["nbgrader"] = {"score": 4000, "max_score": 1}
    scene.write_notebook(notebook)
