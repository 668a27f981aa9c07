"""Answers that bring their own points."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    document = scene.document(
        {"structure": 4, "score": 20, "reasoning": 4}, structure=4, score=20, max_score=1
    )
    document["fields"]["live-project"] |= {"points": 20, "score": 20}
    scene.write_answers(document)
