"""Members with names of devices, and that say that they are devices."""

from __future__ import annotations

import stat
import zipfile

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    device = zipfile.ZipInfo("zero")
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    names = ("CON", "NUL", "aux.json", "LPT1.ipynb", "a:b", "x. ", "\u202egnp.exe")
    return scene.packed({device: "", **dict.fromkeys(names, "x")})
