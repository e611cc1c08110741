"""Whether a file asks to be shown turned, as phones' upright clips do. No Blender."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def turned(path: Path) -> bool:
    """Whether an MP4 or MOV file, if it is there, has a track that is to be turned or mirrored."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return _turned(file, path.stat().st_size)


def _turned(file: BinaryIO, end: int) -> bool:
    for kind, stop in _boxes(file, end):
        if kind in (b"moov", b"trak") and _turned(file, stop):
            return True
        if kind == b"tkhd":
            head = file.read(stop - file.tell())
            matrix = head[40:60] if head[0] == 0 else head[52:72]
            if len(matrix) == 20:
                right_x, right_y, _, down_x, down_y = struct.unpack(">5i", matrix)
                if right_y or down_x or right_x < 0 or down_y < 0:
                    return True
    return False


def _boxes(file: BinaryIO, end: int) -> Iterator[tuple[bytes, int]]:
    """(kind, where it ends) of each box up to ``end``; the file stands at its content."""
    while (start := file.tell()) + 8 <= end:
        size, kind = struct.unpack(">I4s", file.read(8))
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
        stop = start + size if size else end
        if stop <= start:
            return
        yield kind, stop
        file.seek(stop)
