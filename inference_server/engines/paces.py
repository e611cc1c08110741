"""How fast this machine has been, learnt from every take: seconds for so much work of a kind.

Kept in the state folder, ``paces.json``: for each kind the seconds and the work of its jobs, of
which older ones count half as much with each that follows. Knows no torch.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

from shared.folders import state_folder

log = logging.getLogger(__name__)


def learn(kind: str, work: float, seconds: float) -> None:
    """A take of that kind, so much work, took so long. A disk that is full learns nothing."""
    paces = _read()
    before = paces.get(kind, (0.0, 0.0))
    paces[kind] = before[0] / 2 + seconds, before[1] / 2 + work
    file = _file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(f".{os.getpid()}.new")  # there are several workers
        new.write_text(json.dumps(paces, indent=1))
        new.replace(file)
    except OSError as error:
        log.warning("how long a take took was not kept: %s", error)


def seconds_for(kind: str, work: float) -> float | None:
    """How long so much work will take; None where nothing of the kind was ever done."""
    seconds, done = _read().get(kind, (0.0, 0.0))
    return seconds / done * work if done > 0 else None


def _read() -> dict:
    try:
        return {
            kind: (float(a), float(b)) for kind, (a, b) in json.loads(_file().read_text()).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # none yet, or damaged: learnt anew


def _file() -> Path:
    return state_folder() / "paces.json"
