"""Names of devices, and links to them."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for name in ("CON", "NUL.json", "aux", "COM1.ipynb", "answers.json::$DATA"):
        scene.add(name, "x")
    (scene.folder / "answers.json").unlink()
    (scene.folder / "answers.json").symlink_to("/dev/zero")
    (scene.folder / "random").symlink_to("/dev/random")
