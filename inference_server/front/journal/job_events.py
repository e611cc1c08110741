"""A job's way in the log: one record for each stage that the journal has written down."""

from __future__ import annotations

import hashlib
import logging
import time

from ...observing.logs import event
from .entry import Entry

log = logging.getLogger(__name__)


def short_owner(public_key: str) -> str:
    """A client key as the log tells it: the first 8 digits of its folder's name in the store."""
    return hashlib.sha256(public_key.encode()).hexdigest()[:8]


def accepted(entry: Entry, frames: int) -> None:
    """frames: of the clip, that are asked for."""
    body = entry.body
    event(
        log,
        "job accepted",
        **_who(entry),
        engine=body["engine"],
        frames=frames,
        parts=len(body["parts"]),
    )


def started(entry: Entry) -> None:
    """A worker has it."""
    waited = round(max(0.0, time.time() - entry.accepted), 3)  # the clock may be set back
    event(
        log,
        "job started",
        **_who(entry),
        engine=entry.engine,
        attempt=entry.attempts,
        waited_seconds=waited,
    )


def queued_again(entry: Entry, blameless: bool) -> None:
    """blameless: its worker's end was not its doing."""
    level = logging.INFO if blameless else logging.WARNING
    event(log, "job queued again", level, **_who(entry), blameless=blameless)


def cancelling(entry: Entry) -> None:
    """It is called off while a worker has it."""
    event(log, "job is being cancelled", **_who(entry))


def ended(entry: Entry) -> None:
    """It is finished, failed or cancelled."""
    figures = {"engine": entry.engine, "attempts": entry.attempts}
    figures["since_accepted_seconds"] = round(entry.ended - entry.accepted, 3)
    if entry.result:
        takes = entry.result["takes"]
        figures |= {
            "seconds": entry.result["seconds"],
            "takes": len(takes),
            "bytes": sum(take["size"] for take in takes),
            "frames": sum(take["frames"] for take in takes),
        }
    if entry.error:
        figures["code"] = entry.error["code"]  # its sentence may name the clip
    level = logging.WARNING if entry.stage == "failed" else logging.INFO
    event(log, f"job {entry.stage}", level, **_who(entry), **figures)


def _who(entry: Entry) -> dict:
    return {"job": entry.id, "owner": short_owner(entry.owner)}
