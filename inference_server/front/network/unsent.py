"""Counts long answers until the network has taken them, and lets no client have too many.

A client that reads slowly, or not at all, gets its next long answer once the network has taken
those before it. It costs itself alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections import Counter, deque

from shared.protocol.limits import CHUNK_BYTES

from ..limits import Limits

LONG_BYTES = 16 * 1024  # what is shorter is bounded by number: ZeroMQ's high water mark


class Unsent:
    """Whoever is about to make a long answer calls ``room`` first, which counts it as a chunk;
    ``sent_with`` or ``release`` gives that room back."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._of: Counter[str] = Counter()  # bytes, by owner
        self._waiting: dict[str, deque[asyncio.Future]] = {}  # by owner, in their order
        self._loop = asyncio.get_running_loop()

    async def room(self, owner: str) -> None:
        """Take the room for one more long answer to this owner, as soon as there is."""
        if owner in self._waiting or not self._fits(owner):
            turn = self._loop.create_future()
            self._waiting.setdefault(owner, deque()).append(turn)
            await turn  # counted by whoever gave it
        else:
            self._of[owner] += CHUNK_BYTES

    def sent_with(self, owner: str, frame: memoryview) -> None:
        """Give the room back once nobody holds the frame any more: ZeroMQ has let go of it."""
        weakref.finalize(frame, self._from_any_thread, owner).atexit = False

    def release(self, owner: str) -> None:
        """Give the room back, to those who wait: one answer each, in turns."""
        self._of[owner] -= CHUNK_BYTES
        if not self._of[owner]:
            del self._of[owner]
        for each in [*self._waiting]:
            if self._fits(each):
                self._of[each] += CHUNK_BYTES
                waiting = self._waiting.pop(each)
                waiting.popleft().set_result(None)
                if waiting:
                    self._waiting[each] = waiting

    def _fits(self, owner: str) -> bool:
        own, every = self._of[owner], self._of.total()
        if every + CHUNK_BYTES > self._limits.unsent:
            return False
        if 4 * every < self._limits.unsent:
            return own + CHUNK_BYTES <= self._limits.unsent_per_client
        return own == 0

    def _from_any_thread(self, owner: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended
            self._loop.call_soon_threadsafe(self.release, owner)
