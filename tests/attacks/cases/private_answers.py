"""Private notes in what is handed in, as an older page or a file made by hand would have them."""

from __future__ import annotations

from tests.attacks.scene import PRIVATE, Scene


def lay(scene: Scene) -> None:
    scene.write_answers(scene.document({"private-note": PRIVATE}))
