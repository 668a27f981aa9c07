"""Kilobytes of bzip2 that unpack to half a gigabyte at the first byte that is asked for."""

from __future__ import annotations

import io
import zipfile

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("answers.json", b"[" + b" " * 500_000_000 + b"]")
    return made.getvalue()
