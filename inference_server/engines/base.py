"""What every engine is: a name, what it can do, and ``render``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np

from shared.cameras.trajectory import Trajectory

OnProgress = Callable[[int, int], None]  # steps done, steps in all
ShouldStop = Callable[[], bool]


class Cancelled(Exception):
    """Raised out of ``render`` once ``should_stop`` has said yes."""


class Clip(Protocol):
    """The clip as engines see it: frames in order, read once, never held all at once."""

    width: int
    height: int
    frames: int
    rate: Fraction

    def __iter__(self) -> Iterator[np.ndarray]:
        """``(height, width, 3)`` uint8 full-range RGB, ``frames`` of them."""


@dataclass
class Rendering:
    """Frames as they are made, and what the engine has to say about them.

    width, height: pixels of every frame.
    frames: ``(height, width, 3)`` uint8 RGB, as many as the clip has.
    report: figures about the rendering, complete once ``frames`` is exhausted.
    """

    width: int
    height: int
    frames: Iterator[np.ndarray]
    report: dict[str, float | str] = field(default_factory=dict)


class Engine(Protocol):
    """An engine, ready to render on one device."""

    name: str

    def render(
        self,
        clip: Clip,
        source_camera: Trajectory,
        trajectory: Trajectory,
        settings: dict,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> Rendering:
        """Re-shoot ``clip``, shot by ``source_camera``, along ``trajectory``.

        Both cameras have one pose and lens per clip frame. ``settings`` are the engine's own.
        Raises RecamError for settings or sizes it cannot do, Cancelled when told to stop.
        """
