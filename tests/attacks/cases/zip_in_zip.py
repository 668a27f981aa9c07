"""ZIPs in ZIPs in ZIPs."""

from __future__ import annotations

import io
import zipfile

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    inner = scene.packed()
    for _ in range(40):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("next.zip", inner)
        inner = made.getvalue()
    return scene.packed({"next.zip": inner})
