"""Modules that Python imports unasked when it starts."""

from __future__ import annotations

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    for name in ("sitecustomize.py", "usercustomize.py", "__main__.py", "conftest.py"):
        scene.add(name, scene.code)
    scene.add("evil.pth", f"import os; {scene.code}")
