"""Answers larger than any that the form could write."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    scene.write_answers(scene.document({"next-decision": "A" * 40_000_000}))
