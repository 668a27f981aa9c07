"""Answers of another step and of another course."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    fields = dict.fromkeys(("current-network", "gaps", "live-project"), "An answer")
    scene.write_answers(scene.document(fields, step="connections", course="another"))
