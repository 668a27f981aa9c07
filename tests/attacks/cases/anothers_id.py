"""Another student's id wherever one could stand."""

from __future__ import annotations

from typing import Any

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    extra: dict[str, Any] = dict.fromkeys(
        ("student", "student_id", "username", "author", "id"), scene.victim
    )
    scene.write_answers(scene.document(**extra))
    scene.add("student.txt", scene.victim)
    notebook = scene.notebook()
    notebook["metadata"] |= extra
    scene.write_notebook(notebook)
