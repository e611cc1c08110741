"""What ``recam`` itself is asked to do beside a server: its doctor, its weights. No Blender."""

from __future__ import annotations

from contextlib import closing

from . import places
from .task import Stand, Steps, Task, follow, run

WEIGHTS_GIGABYTES = 15


def doctor_task(recam: list[str], address: str, key: str, sentences: list[str]) -> Task:
    """The task that asks ``recam doctor``; ``sentences`` then holds what it said."""
    command = [*recam, "doctor", "--server", address]
    command += [f"--server-key={key}"] if key else []  # it may begin with a dash
    log = places.log("doctor")

    def steps() -> Steps:
        said: list[str] = []
        with closing(follow(command, log, anew=True)) as looks:
            for lines, _ in looks:
                said += lines
                yield Stand("Asking recam doctor")
        sentences[:] = said
        return "recam doctor has answered."

    return Task("Asking recam doctor", steps(), log)


def weights_task(recam: list[str]) -> Task:
    """The task that fetches the model's public weights; what is there of them is not again."""
    log = places.log("weights")

    def steps() -> Steps:
        command = [*recam, "weights", "install", "--yes"]
        lines = yield from run(command, log, "Fetching the weights", anew=True)
        return lines[-1] if lines else "The weights are in place."

    return Task("Fetching the weights", steps(), log)
