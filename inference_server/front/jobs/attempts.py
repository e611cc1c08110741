"""The folder of one attempt at a job: its order, what the worker writes, and how that is kept.

Each attempt has a folder of its own: the worker of a front that was killed may go on writing to
its own for a moment, and disturbs nobody.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from shared.durable import flush_folder
from shared.errors import RecamError

from ..journal.entry import Entry
from ..storage.store import Store, flush_names, keep

ORDER = "order.json"
SHOT = "shot.json"
TRIES = 10  # at a rename, on a system where whoever reads a file keeps it from being renamed
PAUSE_SECONDS = 0.5  # between two of them


def new_attempt(job: str) -> str:
    """A name for the folder of an attempt at that job, which no attempt ever had."""
    return f"{job}-{secrets.token_hex(4)}"


def write_order(store: Store, attempt: str, entry: Entry, engine: str, shot: bytes) -> Path:
    """What the worker needs, in a file; the shot, which comes from the client, in one of its own.

    Raises RecamError ``clip_gone``, and OSError where the disk takes nothing.
    """
    body, work = entry.body, store.work_folder(attempt)
    clips = [store.clip(entry.owner, digest) for digest in body["parts"]]
    beside = {  # an older server's request has no start
        name: str(store.clip(entry.owner, body[name])) if body.get(name) else None
        for name in ("depth", "start")
    }
    for file in [*clips, *filter(None, beside.values())]:
        if not Path(file).is_file():
            raise RecamError(
                "clip_gone",
                f"The clip {body['name']!r} is no longer on the server.",
                "Send it again.",
            )
    order = {
        "job": entry.id,
        "shot": str(work / SHOT),
        "clips": [str(clip) for clip in clips],
        **beside,
        "first": body["first"],
        "name": body["name"],
        "audio": body["audio"],
        "untagged_matrix": body["untagged_matrix"],
        "settings": body["settings"],
        "engine": engine,
        "out": str(store.draft(attempt)),
    }
    work.mkdir(parents=True, exist_ok=True)
    (work / SHOT).write_bytes(shot)
    file = work / ORDER
    file.write_text(json.dumps(order))
    return file


def keep_result(store: Store, attempt: str, entry: Entry, takes: list[dict]) -> None:
    """Make what the worker wrote the job's result, on the disk when this returns.

    The worker has flushed each take. Takes a moment: for a thread. May be tried again after an
    OSError.
    Raises OSError, and RecamError ``result_unwritable`` unless each take is there in its size.
    """
    work, folder = store.work_folder(attempt), store.result_folder(entry.owner, entry.id)
    if work.is_dir():
        _move(work, folder)
    flush_names(folder)
    for number, take in enumerate(takes):
        file = store.result(entry.owner, entry.id, number)
        if not file.is_file() or file.stat().st_size != take["size"]:
            raise RecamError(
                "result_unwritable",
                f"Take {number + 1} of the result is not on the server's disk as it was written.",
                "Is the disk full or damaged? Send the job again.",
            )


def _move(work: Path, folder: Path) -> None:
    # A server that died between keeping a result and saying so has left one: this one counts.
    shutil.rmtree(folder, ignore_errors=True)
    for written in (ORDER, SHOT):
        (work / written).unlink(missing_ok=True)
    flush_folder(work)
    for tries_left in reversed(range(TRIES)):
        try:
            keep(work, folder)
            break
        except PermissionError:
            if os.name != "nt" or not tries_left:
                raise
            time.sleep(PAUSE_SECONDS)


def left_over(store: Store, in_use: Iterable[str]) -> list[Path]:
    """Folders of attempts that nobody works on any more."""
    work, in_use = store.work_folder(""), set(in_use)
    try:
        return [folder for folder in work.iterdir() if folder.name not in in_use]
    except OSError:
        return []  # none was ever made


def remove(folders: list[Path]) -> None:
    """For a thread. What an ending worker still holds open stays, for the next time."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
