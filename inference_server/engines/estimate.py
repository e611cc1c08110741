"""What a job would take, before it starts: time, memory, and what the artist should know."""

from __future__ import annotations

from pathlib import Path

from . import paces
from .base import Question, Reckoning

GIB = 2**30


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
