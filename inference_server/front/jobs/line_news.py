"""Tells those who wait where they stand in the line, at most so often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..journal.entry import Entry
from .waiting import Waiting

TELL_SECONDS = 0.5  # between two rounds of telling those who wait how many are before them …
TOLD_A_SECOND = 500  # … and as much more for so many of them
TOLD_AT_ONCE = 20  # before others have their turn


class LineNews:
    """stand: how many are before one who waits, and why it is not worked on, in words.

    on_change: called with each job for which that has changed.
    """

    def __init__(
        self,
        waiting: Waiting,
        stand: Callable[[Entry], tuple[int, str]],
        on_change: Callable[[Entry], None],
    ) -> None:
        self._waiting, self._stand, self._on_change = waiting, stand, on_change
        self._told: dict[int, tuple[int, str]] = {}  # what each who waits was last told
        self._telling: asyncio.Task | None = None
        self._stopped = False

    def changed(self) -> None:
        """Have those who wait told, all at once, if it concerns them."""
        if self._telling is None and not self._stopped:
            self._telling = asyncio.ensure_future(self._tell())

    def stop(self) -> None:
        """Nobody is told any more."""
        self._stopped = True
        if self._telling:
            self._telling.cancel()

    async def _tell(self) -> None:
        await asyncio.sleep(TELL_SECONDS + len(self._waiting) / TOLD_A_SECOND)
        told, self._told, self._telling = self._told, {}, None
        for count, entry in enumerate(self._waiting):
            if count % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)  # a thousand take a while: others come first
            if entry in self._waiting:
                self._told[entry.number] = now = self._stand(entry)
                if told.get(entry.number) != now:
                    self._on_change(entry)
