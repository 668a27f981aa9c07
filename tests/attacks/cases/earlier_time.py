"""A time that would make a late submission an early one."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    scene.add("timestamp.txt", "1999-01-01 00:00:00.000000 UTC")
    scene.write_answers(scene.document(saved_at="1999-01-01T00:00:00Z"))
