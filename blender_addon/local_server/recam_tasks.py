"""What ``recam`` itself is asked to do beside a server: its doctor, its weights. No Blender."""

from __future__ import annotations

import re
from contextlib import closing

from . import places
from .task import Stand, Steps, Task, failed, follow

WEIGHTS_GIGABYTES = 15


def doctor_task(recam: list[str], address: str, key: str, sentences: list[str]) -> Task:
    """The task that asks ``recam doctor``; ``sentences`` then holds what it said."""
    command = [*recam, "doctor", f"--server={address}"]
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

    return Task("Asking recam doctor", steps(), log, quiet=True)


def weights_task(recam: list[str]) -> Task:
    """The task that fetches the model's public weights; what is there of them is not again."""
    log = places.log("weights")

    def steps() -> Steps:
        lines = ["Fetching the weights"]
        command = [*recam, "weights", "install", "--yes"]
        with closing(follow(command, log, anew=True)) as looks:
            for said, code in looks:
                lines += said
                if code:
                    raise failed("Fetching the weights", lines, log)
                yield _stand(lines[-1])
        return lines[-1]

    return Task("Fetching the weights", steps(), log)


def _stand(line: str) -> Stand:
    """How far it is, by the last line that was said, which may tell bytes."""
    told = re.search(r"(\d+) of (\d+) MB$", line)
    return Stand(line, int(told[1]) / int(told[2]) if told and int(told[2]) else None)
