"""The server's process on this machine: started, found again, stopped. Knows no Blender.

It is nobody's child for long: a Blender that crashes leaves it at work, and the next one finds it
by what was written down, its number and when it began.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from ..shared.errors import RecamError
from . import places
from .processes import birth, end, kill, kill_tree, spawn
from .task import Stand, Steps, Task, failed

PATIENCE_SECONDS = 30.0  # for a server that is told to stop; its journal survives what follows

_children: list[subprocess.Popen] = []  # kept, so that they can be reaped when they end
_known = (float("-inf"), False)  # when it was last seen whether it runs, and whether it did


@dataclass(frozen=True)
class Running:
    """A server that a Blender started: its process and that Blender's, each with its birth."""

    address: str
    process: int
    began: str
    blender: int
    blender_began: str


def running() -> Running | None:
    """The server that was started from Blender on this machine and still runs."""
    try:
        found = Running(**json.loads(_record().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if birth(found.process) == found.began else None


def runs() -> bool:
    """Whether it runs, as of a second ago at most: for what is drawn, and drawn often."""
    global _known
    if monotonic() - _known[0] > 1.0:
        _known = (monotonic(), running() is not None)
    return _known[1]


def start_task(recam: list[str], address: str) -> Task:
    """The task that starts ``recam serve`` at an address of this machine and sees it listen."""
    log = places.log("server")
    # ZeroMQ listens at numbers alone.
    address = address.lower().replace("localhost", "127.0.0.1")
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    # Quiet: it keeps a log of its own; here only what it says before that.
    command = [*recam, "serve", "--quiet", "--host", host, "--port", port]
    steps = _start(command, address, log)
    return Task("Starting the server", steps, log, quiet=True)


def stop_task() -> Task:
    """The task that stops the server and sees it end. Its jobs go on when it is started again."""
    return Task("Stopping the server", _stop(), places.log("server"), quiet=True)


def ours() -> Running | None:
    """The server that runs, if this Blender started it or the one that did is gone."""
    found = running()
    if found is None or found.blender == os.getpid():
        return found
    return None if birth(found.blender) == found.blender_began else found


def leave() -> bool:
    """Tell the server to stop if it is ``ours``; whether it was told to."""
    found = ours()
    if found is not None:
        end(found.process)
    return found is not None


def _start(command: list[str], address: str, log: Path) -> Steps:
    if running() is not None:
        return "The server runs already."
    words = "Starting the server"
    try:
        process = spawn(command, log)
    except OSError as error:
        raise RecamError(
            "command_missing",
            f"{command[0]} cannot be run ({error.strerror}).",
            "Install the local server again in the add-on's preferences.",
        ) from None
    _children.append(process)
    try:
        _write(address, process.pid)
        while " listens at " not in (said := log.read_text(errors="replace")):
            if process.poll() is not None:
                raise _not_started(words, said.splitlines(), log)
            yield Stand(words)
    except BaseException:  # called off, or a disk that is full: none is left that nobody knows of
        kill_tree(process)
        raise
    return "The server runs."


def _stop() -> Steps:
    global _known
    found = running()
    if found is None:
        return "No server that was started from Blender runs."
    end(found.process)
    patient_until = monotonic() + PATIENCE_SECONDS
    while birth(found.process) == found.began:
        for child in _children:
            child.poll()
        if monotonic() > patient_until:
            kill(found.process)
            patient_until += PATIENCE_SECONDS
        yield Stand("Stopping the server")
    _record().unlink(missing_ok=True)
    _known = (monotonic(), False)
    return "The server has stopped."


def _not_started(words: str, lines: list[str], log: Path) -> RecamError:
    taken = re.search(r"recam: (The server cannot listen at [^)]*\))", "\n".join(lines))
    if taken:
        return RecamError(
            "address_in_use",
            f"{taken[1]}.",
            "If another server runs there, it may be used as it is; else give another port in "
            "the address.",
        )
    return failed(words, lines, log)


def _write(address: str, process: int) -> None:
    global _known
    began, blender = birth(process), os.getpid()
    if began is not None:
        _known = (monotonic(), True)
        about = Running(address, process, began, blender, birth(blender) or "")
        _record().write_text(json.dumps(asdict(about)), encoding="utf-8")


def _record() -> Path:
    return places.data_folder() / "server.json"
