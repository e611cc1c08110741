"""How far a job is, and how long it will still take."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Steps done of all steps, with the time the rest will take, and a word on what is done.

    The pace counts anew when ``doing`` changes: it is that of what is done now.
    remarks: sentences for the artist, so far, each once.
    """

    done: int = 0
    steps: int = 0
    doing: str = ""
    remarks: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _before: int = 0  # steps that were done when it began

    def step(self, done: int, steps: int, doing: str, remarks: Iterable[str] = ()) -> None:
        """So many steps are done, and this is to be said to the artist."""
        if doing != self.doing:
            self._began, self._before = time.monotonic(), done
        self.done, self.steps, self.doing = done, steps, doing
        self.remarks = list(dict.fromkeys([*self.remarks, *remarks]))

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None until there is one."""
        if self.done <= self._before:
            return None
        elapsed = time.monotonic() - self._began
        return round(elapsed / (self.done - self._before) * (self.steps - self.done), 1)
