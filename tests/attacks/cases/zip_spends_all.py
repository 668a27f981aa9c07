"""ZIPs within a ZIP that are each within their limits, and more than anybody may spend."""

from __future__ import annotations

import io
import zipfile

from tests.attacks.scene import Scene


def pack(scene: Scene) -> bytes:
    inner = scene.packed({"zeros": bytes(60_000_000)})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(60):
            archive.writestr(f"doe{number}_{number}_{number}_answers.json", bytes(30_000_000))
            archive.writestr(f"doe{number}_{number}_{number}_x.zip", inner)
    return made.getvalue()
