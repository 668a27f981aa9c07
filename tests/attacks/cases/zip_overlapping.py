"""Ten thousand members that share their bytes: a few kilobytes are ten gigabytes."""

from __future__ import annotations

import io
import struct
import zipfile

from tests.attacks.scene import Scene

MANY = 10_000


def pack(scene: Scene) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("00000/answers.json", bytes(1_000_000))
    packed = made.getvalue()
    at, end = packed.index(b"PK\x01\x02"), packed.index(b"PK\x05\x06")
    listed = b"".join(
        packed[at:end].replace(b"00000/", f"{number:05}/".encode()) for number in range(MANY)
    )
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, MANY, MANY, len(listed), at, 0)
    return packed[:at] + listed + tail
