"""A hundred thousand answers to prompts that nobody asked."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    document = scene.document({f"made-up-{number}": "x" for number in range(100_000)})
    scene.write_answers(document)
