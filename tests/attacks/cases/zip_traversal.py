"""Members whose names lead out of the folder."""

from __future__ import annotations

import json

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    inside = json.dumps(scene.document({"next-decision": "written elsewhere"}))
    names = (
        "../answers.json",
        "../../../../evil.py",
        "/tmp/evil.py",  # noqa: S108 (it must not get there)
        "..\\..\\evil.py",
        "C:evil.py",
    )
    return scene.packed(dict.fromkeys((*names, f"../{scene.victim}/answers.json"), inside))
