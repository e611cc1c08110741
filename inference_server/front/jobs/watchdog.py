"""Notices silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Watchdog:
    """Calls ``on_silence`` once nothing was heard for as long as was last expected."""

    def __init__(self, on_silence: Callable[[], None]) -> None:
        self._on_silence = on_silence
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, seconds: float) -> None:
        """A word is to come within ``seconds`` from now, by a clock that nobody sets."""
        self.rest()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._on_silence)

    def rest(self) -> None:
        """Nothing is to come."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
