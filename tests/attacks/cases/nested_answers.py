"""Lists in lists, deeper than any reader should follow."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    deep = b"[" * 200_000 + b"]" * 200_000
    head = (
        b'{"format": 1, "course": "pcn", "step": "goals", "revision": 1, "fields": {"who-you-are": '
    )
    scene.write_answers(head + b'{"value": ' + deep + b', "version": 1}}}')
