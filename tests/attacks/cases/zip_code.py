"""Code in a ZIP, beside the answers."""

from __future__ import annotations

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    names = ("json.py", "pcn_course/__init__.py", "sitecustomize.py", "ipython_config.py")
    return scene.packed(dict.fromkeys(names, scene.code))
