"""Magic and shell lines in cells, and in answers."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    lines = f"!touch {scene.mark}\n%run json.py\n%%bash\ntouch {scene.mark}\n%system touch"
    notebook = scene.notebook()
    for cell in notebook["cells"]:
        cell["source"] = lines
    scene.write_notebook(notebook)
    scene.write_answers(scene.document({"next-decision": lines, "what-you-do": scene.code}))
