"""The same name twice in one object."""

from __future__ import annotations

import json

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    honest = json.dumps(scene.document())[:-1]
    scene.write_answers(f'{honest}, "fields": {{}}, "step": "connections", "format": 99}}'.encode())
