"""The SHA-256 of a file up to the end of each chunk, in one pass, ahead of whoever sends it."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from ..protocol.limits import CHUNK_BYTES


class PrefixHashes:
    """Hashes ``path`` in a thread, from the moment it is made on an event loop.

    ``whole`` is the SHA-256 of the file in hexadecimal, once it is known.
    """

    def __init__(self, path: Path) -> None:
        self.whole: str | None = None
        self._path = path
        self._digests: dict[int, bytes] = {}  # by the number of bytes from the file's start
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self._grown = asyncio.Event()
        self._work = asyncio.ensure_future(asyncio.to_thread(self._hash))
        self._work.add_done_callback(lambda _: self._grown.set())

    async def ahead(self, seconds: float) -> None:
        """Wait for ``whole``, ``seconds`` at the most."""
        await asyncio.wait([self._work], timeout=seconds)

    async def until(self, size: int) -> str | None:
        """SHA-256 of the first ``size`` bytes, a number of whole chunks or the whole file.

        None if the file ends before that. Raises OSError where it cannot be read.
        """
        while size not in self._digests and not self._work.done():
            self._grown.clear()
            await self._grown.wait()
        if self._work.done():
            self._work.result()
        return self._digests[size].hex() if size in self._digests else None

    async def end(self) -> str:
        """``whole``, as soon as it is known. Raises OSError where the file cannot be read."""
        await self._work
        return self.whole

    async def close(self) -> None:
        """Stop hashing."""
        self._stopped = True
        await asyncio.gather(self._work, return_exceptions=True)

    def _hash(self) -> None:
        digest, chunk, size = hashlib.sha256(), bytearray(CHUNK_BYTES), 0
        with self._path.open("rb") as file:
            while (count := file.readinto(chunk)) and not self._stopped:
                digest.update(memoryview(chunk)[:count])
                size += count
                self._digests[size] = digest.digest()
                self._loop.call_soon_threadsafe(self._grown.set)
        if not self._stopped:
            self.whole = digest.hexdigest()
