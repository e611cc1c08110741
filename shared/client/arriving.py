"""What has arrived of a take: taken up again, hashed as it grows, brought to the disk."""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import IO

from ..protocol.limits import CHUNK_BYTES

PIECE_BYTES = 4 * 1024 * 1024  # of what is read at a time


class Arriving:
    """A take that arrives in the open file ``part``. ``offset``: bytes that are there."""

    def __init__(self, part: IO, size: int) -> None:
        self.size = size
        self.offset = 0
        self._part = part
        self._digest = hashlib.sha256()

    async def take_up(self) -> None:
        """Read what is there already: whole chunks of it are kept. Raises OSError."""
        there = self._part.seek(0, os.SEEK_END)
        kept = there if there == self.size else there - there % CHUNK_BYTES
        self._part.truncate(kept if there <= self.size else 0)
        self._part.seek(0)
        while piece := await asyncio.to_thread(self._part.read, PIECE_BYTES):
            await asyncio.to_thread(self._digest.update, piece)
            self.offset += len(piece)

    def begin_again(self) -> None:
        """Throw away what is there."""
        self._part.truncate(0)
        self._digest, self.offset = hashlib.sha256(), 0

    def keep(self, data: bytes | memoryview) -> None:
        """Add what comes next. Raises OSError."""
        self._digest.update(data)
        self._part.write(data)
        self._part.flush()  # to the system, lest the end of a chunk die with this process
        self.offset += len(data)

    def sha256(self) -> str:
        """Of all that is there, in hexadecimal."""
        return self._digest.hexdigest()

    def flush(self) -> None:
        """Bring it to the disk. May take seconds; raises OSError."""
        os.fsync(self._part.fileno())
