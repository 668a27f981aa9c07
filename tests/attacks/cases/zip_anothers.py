"""A ZIP that says inside that it is another student's."""

from __future__ import annotations

import json

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    name = f"step-1-goals+{scene.victim}+20260120T100000Z.zip"
    document = scene.document({"next-decision": "not the victim's"}, student=scene.victim)
    return scene.packed(
        {name: scene.packed(), f"{scene.victim}/answers.json": json.dumps(document)}
    )
