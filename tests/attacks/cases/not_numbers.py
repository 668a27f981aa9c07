"""Numbers that are none, or larger than any."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for text in ('{"value": NaN, "version": Infinity}', '{"value": 1e999, "version": -1}'):
        field = text.encode()
        scene.write_answers(
            b'{"format": 1, "course": "pcn", "step": "goals", "revision": '
            + b"9" * 5000
            + b', "fields": {"live-project": '
            + field
            + b"}}"
        )
