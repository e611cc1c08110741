"""Waiting for a server that has no room now: with growing pauses, and in words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from ..errors import RecamError

# What a server refuses for now: by and by it ends other jobs, and throws away what is old.
PASSING = ("client_limit", "server_full", "server_busy", "server_disk")
SENT = "This is sent as soon as there is room."
FETCHED = "The result is fetched as soon as the server can give it."
FIRST_SECONDS, LONGEST_SECONDS = 2.0, 60.0  # of the pauses between two tries


class Room:
    """What one job's transfers wait for. tell: told why, or nothing once they go on."""

    def __init__(self, tell: Callable[[str], None] = lambda sentence: None) -> None:
        self._tell = tell
        self._pause = FIRST_SECONDS

    async def wait(self, refusal: RecamError, what: str = SENT) -> None:
        """Pause before another try, longer each time; or raise what will not pass.

        what: is waited for, in a sentence.
        """
        if refusal.code not in PASSING:
            raise refusal
        self._tell(f"{refusal.sentence} {what} {refusal.hint}".strip())
        # Not all who wait at the same moment.
        await asyncio.sleep(self._pause * random.uniform(0.8, 1.2))
        self._pause = min(2 * self._pause, LONGEST_SECONDS)

    def found(self) -> None:
        """It goes on."""
        self._tell("")
        self._pause = FIRST_SECONDS
