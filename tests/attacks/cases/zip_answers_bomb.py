"""A small ZIP whose answers unpack to 400 MB."""

from __future__ import annotations

import io
import zipfile

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answers.json", b"[" + b" " * 400_000_000 + b"]")
    return made.getvalue()
