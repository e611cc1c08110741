"""A job as the journal keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A job as the journal keeps it, but for its shot, which may be long.

    stage: queued, rendering, cancelling, finished, failed, cancelled.
    front_deaths: how often running the server has ended without a word while it was at work,
        or will have if the server ends so now. unkept: how often its result found no place.
    """

    number: int
    id: str
    owner: str
    stage: str
    body: dict
    attempts: int
    engine: str
    engine_reason: str
    result: dict | None
    error: dict | None
    accepted: float
    ended: float | None
    front_deaths: int = 0
    unkept: int = 0

    @property
    def over(self) -> bool:
        """Whether the job has ended, one way or another."""
        return self.stage in ("finished", "failed", "cancelled")
