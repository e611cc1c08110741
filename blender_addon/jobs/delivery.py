"""The server hears that the takes are here: it may delete what it was asked to delete then."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from time import monotonic

from ..shared import durable
from ..shared.client.client import Client
from . import records
from .aside import aside
from .records import Record

OVER = ("no_such_job", "no_result", "unknown_message")  # refusals of a server that has nothing
HEARD_SECONDS = 3.0  # for a server that answers; another one is told later


def flushed(files: list[Path]) -> Iterator[float]:
    """Bring the files to the disk, as far as that disk can."""

    def flush() -> None:
        with contextlib.suppress(OSError):
            for file in files:
                durable.flush(file)

    return (yield from aside(flush))


def heard(told: Future) -> Iterator[float]:
    """Wait a moment for the server's word."""
    end = monotonic() + HEARD_SECONDS
    while not told.done() and monotonic() < end:
        yield 0.05


def owed(record: Record, told: Future | None) -> bool:
    """Whether the server is still to be told, since it is to delete what it has of the job.

    told: how that went so far, if it was tried.
    """
    if not record.takes or not record.request["body"].get("delete_on_delivery"):
        return False
    if told is None or not told.done() or told.cancelled():
        return True
    error = told.exception()
    return error is not None and getattr(error, "code", "") not in OVER


def tell(client: Client, folder: Path, record: Record) -> None:
    """Tell the server of a job that an earlier Blender owes it, and forget that once it knows."""
    claim = records.claim(folder, record.job)
    if claim is None:
        return

    def told(future: Future) -> None:  # on the client's thread
        claim.close()
        if not owed(record, future):
            records.remove(folder, record.job)

    client.delivered(record.job).add_done_callback(told)
