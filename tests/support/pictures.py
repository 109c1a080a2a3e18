"""Pictures made by a few lines."""

from __future__ import annotations

import struct
import zlib


def gradient(width: int, height: int) -> bytes:
    """Return a PNG, blue above green."""
    reds = [70 + x * 60 // width for x in range(width)]
    rows = b"".join(
        b"\0" + b"".join(bytes((red, 130 + y * 60 // height, 210 - y * 150 // height)) for red in reds)
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
