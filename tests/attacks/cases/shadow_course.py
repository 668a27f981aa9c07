"""The course's own package, and nbgrader's, beside the answers."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for package in ("pcn_course", "nbgrader", "nbconvert", "traitlets"):
        scene.add(f"{package}/__init__.py", scene.code)
    scene.add("pcn_course/review.py", scene.code)
