"""How far a job is, how long it will still take, and what it looks like."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Picture:
    """number: from 1, 0 for none. rgb: ``height`` rows of ``width`` pixels, a byte a channel."""

    number: int = 0
    width: int = 0
    height: int = 0
    rgb: bytes = b""


@dataclass
class Progress:
    """Steps done of all steps, with the time the rest will take, and a word on what is done.

    The pace counts anew when ``doing`` changes: it is that of what is done now.
    remarks: sentences for the artist, so far, each once. picture: the newest alone.
    """

    done: int = 0
    steps: int = 0
    doing: str = ""
    remarks: list[str] = field(default_factory=list)
    picture: Picture = Picture()
    _began: float = field(default_factory=time.monotonic)
    _before: int = 0  # steps that were done when it began

    def step(self, done: int, steps: int, doing: str, remarks: Iterable[str] = ()) -> None:
        """So many steps are done, and this is to be said to the artist."""
        if doing != self.doing:
            self._began, self._before = time.monotonic(), done
        self.done, self.steps, self.doing = done, steps, doing
        self.remarks = list(dict.fromkeys([*self.remarks, *remarks]))

    def show(self, picture: dict) -> None:
        """A new picture has come from the worker."""
        rgb = base64.b64decode(picture["rgb"])
        number = self.picture.number + 1
        self.picture = Picture(number, picture["width"], picture["height"], rgb)

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None until there is one."""
        if self.done <= self._before:
            return None
        elapsed = time.monotonic() - self._began
        return round(elapsed / (self.done - self._before) * (self.steps - self.done), 1)
