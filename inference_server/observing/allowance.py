"""So many a minute: what keeps a fault that repeats itself from filling the log."""

from __future__ import annotations

import time
from collections.abc import Callable

MINUTE = 60.0


class Allowance:
    """``most`` a minute; those beyond are counted."""

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now = most, now
        self._began = now()
        self._taken = self._left_out = 0

    def take(self, count: int = 1) -> int | None:
        """How many were left out before this one; None if it is to be left out itself.

        count: how many are asked for at once, to be left out together.
        """
        if self._now() - self._began >= MINUTE:
            self._began, self._taken = self._now(), 0
        if self._taken >= self._most:
            self._left_out += count
            return None
        self._taken += count
        before, self._left_out = self._left_out, 0
        return before

    @property
    def spent(self) -> bool:
        """Whether the last one of this minute has been taken."""
        return self._taken >= self._most
