"""Where a job stands, as its client sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import RecamError

AT_WORK = ("rendering", "cancelling")
MOST_REMARKS, LONGEST_REMARK = 50, 1000
ENDED = ("finished", "failed", "cancelled")


@dataclass(frozen=True)
class JobState:
    """Where a job stands.

    stage: connecting, uploading, queued, rendering, cancelling, downloading, finished,
    failed, cancelled.
    doing: what the engine does while rendering, in a word or two, or empty.
    step, steps: of that stage (bytes, frames or the engine's steps); 0 of 0 where it has none.
    seconds_left: of that stage, or None.
    ahead: how many jobs wait before it, while queued.
    trouble: why it does not go on, in a sentence, such as that no server answers yet; or empty.
    remarks: sentences for the artist, those known so far while rendering, all of them afterwards.
    picture: while rendering, the newest small one of what is at work, ``(h, w, 3)`` uint8 RGB, its
        first row the uppermost; None if there is none (yet). Not to be written to.
    engine, engine_reason: what renders it, and why that one was chosen; empty until known.
    result: what the server tells of the result: its takes, each with size in bytes, width,
        height, frames, report …; and remarks. A job that is cancelled and has one is finished
        there: only fetching it was stopped.
    """

    stage: str = "connecting"
    doing: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    ahead: int = 0
    trouble: str = ""
    remarks: tuple[str, ...] = ()
    picture: np.ndarray | None = field(default=None, repr=False, compare=False)
    engine: str = ""
    engine_reason: str = ""
    result: dict | None = None
    error: RecamError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.stage in ENDED


def readable(remarks: Sequence[str]) -> list[str]:
    """As many as a person reads, and of each as much: a panel lays them out again and again."""
    shown = [
        remark if len(remark) <= LONGEST_REMARK else f"{remark[:LONGEST_REMARK]} …"
        for remark in remarks[:MOST_REMARKS]
    ]
    left = len(remarks) - len(shown)
    return [*shown, f"There are {left} more remarks."] if left else shown
