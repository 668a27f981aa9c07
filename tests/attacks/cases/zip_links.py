"""Members that are links out of the folder."""

from __future__ import annotations

import stat
import zipfile

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    link = zipfile.ZipInfo("secret.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    folder = zipfile.ZipInfo("up")
    folder.external_attr = (stat.S_IFLNK | 0o777) << 16
    return scene.packed({link: str(scene.secret), folder: "../..", "up/evil.py": scene.code})
