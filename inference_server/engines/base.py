"""What every engine is: a name, what it can do, ``render``, and what it reckons a job to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

import numpy as np

from shared.cameras.trajectory import Trajectory
from shared.errors import RecamError

ShouldStop = Callable[[], bool]
MakePicture = Callable[[], np.ndarray]  # ``(h, w, 3)`` uint8 RGB, of any size


class OnProgress(Protocol):
    """How an engine tells how far it is, and what the artist should know before the wait."""

    def __call__(
        self,
        step: int,
        steps: int,
        doing: str = "",
        remarks: Sequence[str] = (),
        picture: MakePicture | None = None,
    ) -> None:
        """``step`` of the job's ``steps`` are done, 0 of 0 where there is nothing to count.

        doing: a word or two for the artist, such as “loading the weights” or “denoising”. The
        time left is reckoned from the pace since ``doing`` last changed.
        remarks: sentences for the artist, to be read now; each is said once, and the result has
        it too.
        picture: makes a picture of what is at work, called now or never, about twice a second at
        the most. Frames that ``render`` gives are shown by whoever reads them.
        """


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
    """One take: frames as they are made, and what the engine has to say about them.

    width, height: pixels of every frame.
    frames: ``(height, width, 3)`` uint8 RGB, as many as the clip has.
    report: figures about the take, such as its seed, for the record.
    remarks: sentences for the artist.
    Both are complete once ``frames`` is exhausted, as are the two that tell whoever reads the
    frames what was done in that time (see ``estimate.Reckoning``):
    pace: what decides how fast. work: how much, in units of the engine's; 0 for what tells nothing.
    """

    width: int
    height: int
    frames: Iterator[np.ndarray]
    report: dict[str, float | str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    pace: str = ""
    work: float = 0.0


class Engine(Protocol):
    """An engine, ready to render on one device. It may keep what the next job needs too.

    settings: names of the settings that it knows.
    """

    name: str
    settings: Set[str]

    def render(
        self,
        clip: Clip,
        source_camera: Trajectory,
        trajectory: Trajectory,
        settings: dict,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> Iterator[Rendering]:
        """Re-shoot ``clip``, shot by ``source_camera``, along ``trajectory``: take after take.

        Both cameras have one pose and lens per clip frame. ``settings`` are the engine's own.
        The frames of each take are read to their end before the next take is asked for.
        Raises RecamError for settings or sizes it cannot do, Cancelled when told to stop.
        """


@dataclass(frozen=True)
class Question:
    """A job that may be sent: its clip's size, length and rate, and its settings.

    depth, start: whether a depth file, or a video to start from, would come along.
    """

    width: int
    height: int
    frames: int
    rate: Fraction
    settings: dict
    depth: bool = False
    start: bool = False


@dataclass(frozen=True)
class Reckoning:
    """What an engine reckons a job to be. It knows nothing of time.

    pace: what decides how fast such work is done, such as the device. work: how much there is, in
    units of the engine's. device: what it would be done on, in words. memory, available: bytes on
    the device that the job needs, and that it could have; None where it does not matter.
    measure: how its pace can be measured without a job, as part of a sentence.
    """

    pace: str
    work: float
    device: str
    memory: int | None = None
    available: int | None = None
    remarks: list[str] = field(default_factory=list)
    measure: str = ""


def estimate_failed() -> RecamError:
    """The error where nothing could be reckoned, for a reason that is not the job's."""
    return RecamError(
        "estimate_failed",
        "What this job needs could not be counted.",
        "The job itself can be sent; the server's log may tell why.",
    )
