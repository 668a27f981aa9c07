"""Answers of types that their prompts don't take."""

from __future__ import annotations

import itertools

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    wrong = [7, -1.5, True, None, [], {}, [[["x"]]], {"value": {"value": 1}}, ["a", 1, None]]
    document = scene.document()
    prompts = (
        "next-decision",
        "what-you-do",
        "goal-list",
        "expertise",
        "how-you-like-to-meet",
        "x",
    )
    for key, value in zip(prompts, itertools.cycle(wrong), strict=False):
        document["fields"][key] = {"value": value, "version": 1}
    document["fields"]["decide-by"] = {"value": "the day after", "version": "many"}
    scene.write_answers(document)
