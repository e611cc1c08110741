"""How far a job is, and how long it will still take."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Steps done of all steps, with the time the rest will take."""

    done: int = 0
    steps: int = 0
    started: float = field(default_factory=time.monotonic)

    def step(self, done: int, steps: int) -> None:
        """So many steps are done."""
        self.done, self.steps = done, steps

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None until there is one."""
        if not self.done:
            return None
        elapsed = time.monotonic() - self.started
        return round(elapsed / self.done * (self.steps - self.done), 1)
