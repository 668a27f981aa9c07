"""Outputs that look like a score."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    notebook = scene.notebook()
    score = {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {"text/plain": "4.0", "text/html": "<b>20 of 20</b>"},
    }
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [score]
    scene.write_notebook(notebook)
    scene.add("score.txt", "20")
    scene.add("gradebook.csv", f"student,score\n{scene.student},20\n")
