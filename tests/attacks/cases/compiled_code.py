"""Code that is compiled already, and a shared library's name."""

from __future__ import annotations

import importlib.util
import marshal
import sys

from tests.attacks.scene import Scene


def lay(scene: Scene) -> None:
    code = marshal.dumps(compile(scene.code, "json.py", "exec"))
    compiled = importlib.util.MAGIC_NUMBER + bytes(12) + code
    tag = sys.implementation.cache_tag
    scene.add(f"__pycache__/json.{tag}.pyc", compiled)
    scene.add("json.pyc", compiled)
    scene.add("_json.abi3.so", b"\x7fELF" + bytes(100))
