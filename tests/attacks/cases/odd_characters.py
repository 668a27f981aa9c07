"""Half characters, zeros, controls and text that runs backwards."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    document = scene.document({"next-decision": "\0\x1b[2J\u202e\u2066 4.0 \ud800 \uffff" * 50})
    document["fields"]["\ud800\0"] = {"value": "\ud800", "version": 1}
    scene.write_answers(document)
