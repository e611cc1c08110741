"""What a job would take, before it starts: time, memory, and what the artist should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from shared.errors import RecamError

from . import paces

GIB = 2**30


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


def estimate(engine: str, releases: Path, question: Question) -> dict:
    """``seconds``, ``memory``, ``memory_available``, ``device`` and ``sentences``, for the wire.

    seconds: without the loading of weights; None until a take of the kind was made here. Takes
    seconds where an engine has to count, and may run in any thread beside ``render``. RecamError
    where the engine would refuse the job.
    """
    if engine == "recammaster":
        from .recammaster.estimate import reckon
    else:
        from .projection.estimate import reckon
    found = reckon(releases, question)
    seconds = paces.seconds_for(f"{engine} {found.pace}", found.work)
    return {
        "seconds": seconds,
        "memory": found.memory,
        "memory_available": found.available,
        "device": found.device,
        "sentences": [_sentence(seconds, found), *dict.fromkeys(found.remarks)],
    }


def estimate_failed() -> RecamError:
    """The error where nothing could be reckoned, for a reason that is not the job's."""
    return RecamError(
        "estimate_failed",
        "What this job needs could not be counted.",
        "The job itself can be sent; the server's log may tell why.",
    )


def duration(seconds: float) -> str:
    """As people say it: "4 minutes"."""
    for unit, size, below in (("second", 1, 100), ("minute", 60, 100), ("hour", 3600, 72)):
        number = max(1, round(seconds / size))
        if number < below:
            return f"{number} {unit}{'s' if number > 1 else ''}"
    return f"{round(seconds / 86400)} days"


def _sentence(seconds: float | None, found: Reckoning) -> str:
    memory = ""
    if found.memory is not None:
        memory = f"{found.memory / GIB:.1f}"
        if found.available is not None:
            memory += f" of {found.available / GIB:.1f}"
        memory += " GiB of memory"
    if seconds is not None:
        told = f"About {duration(seconds)} on the {found.device}"
        return f"{told}; {memory}." if memory else f"{told}."
    needs = f"It needs {memory}. " if memory else ""
    return (
        f"How long it takes on the {found.device} is not known until a first job has run"
        f"{found.measure}. {needs}"
    ).strip()
