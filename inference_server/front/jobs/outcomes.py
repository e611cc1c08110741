"""How attempts at jobs end, and what the store and the journal make of it."""

from __future__ import annotations

import asyncio
import errno
import logging
from dataclasses import dataclass

from shared.errors import RecamError
from shared.protocol.messages import error_body

from ..faults import front_died, server_fault, worker_let_down
from ..journal.entry import Entry
from ..journal.journal import MOST_ATTEMPTS, MOST_FRONT_DEATHS, Journal
from ..storage.store import Store, disk_error
from .attempts import keep_result

log = logging.getLogger(__name__)

FILES_SECONDS = 5.0  # until it is tried again, where the system opens no more files
UNKEPT = ("result_unwritable", "server_disk")  # errors of a result that found no place


@dataclass(frozen=True)
class Outcome:
    """How an attempt at a job ended.

    how: ``finished``, with its result; ``failed``, with its error; ``cancelled``; ``put back``,
    because the server stops; ``gone``: the worker has ended.
    why: of a worker that has: it ``hung``, the system ``killed`` it, or it ``died``.
    """

    how: str
    result: dict | None = None
    error: dict | None = None
    why: str = ""


async def kept(store: Store, entry: Entry, attempt: str, outcome: Outcome) -> Outcome:
    """The outcome once its result, if it has one, is in the store; ``failed`` if it cannot be.

    Where too many files are open it waits: that passes, and the result is there.
    """
    if outcome.how != "finished":
        return outcome
    try:
        while True:
            try:
                await asyncio.to_thread(keep_result, store, attempt, entry, outcome.result["takes"])
                break
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE):
                    raise
                log.error("the result of job %s is kept later: %s", entry.id, error.strerror)
            await asyncio.sleep(FILES_SECONDS)
    except OSError as error:
        return Outcome("failed", error=error_body(disk_error(error)))
    except RecamError as error:
        return Outcome("failed", error=error_body(error))
    except Exception:  # a lane must not wait for ever for one job's end
        log.exception("the result of job %s cannot be kept", entry.id)
        return Outcome("failed", error=error_body(server_fault()))
    return outcome


def record(journal: Journal, entry: Entry, outcome: Outcome) -> None:
    """Write it down; RecamError ``server_disk`` where the disk takes nothing.

    A job whose worker is gone, or whose result found no place on the disk, is tried again, unless
    that has happened to it before.
    """
    if outcome.how == "finished":
        journal.finish(entry, outcome.result)
    elif outcome.how == "failed":
        unkept = outcome.error["code"] in UNKEPT
        if unkept and not journal.find(entry.owner, entry.id).unkept:
            put_back(journal, entry, unkept=True)
        else:
            journal.fail(entry, outcome.error)
    elif outcome.how == "cancelled":
        journal.cancel(entry)
    elif outcome.how == "put back":
        put_back(journal, entry)
    elif (attempts := journal.find(entry.owner, entry.id).attempts) < MOST_ATTEMPTS:
        put_back(journal, entry, blameless=False)
    else:
        journal.fail(entry, error_body(worker_let_down(outcome.why, attempts)))


def take_up(journal: Journal, entry: Entry) -> None:
    """Queue a job again that was at work when the server died, unless that is so each time."""
    if entry.stage == "cancelling":
        journal.cancel(entry)
    elif entry.front_deaths >= MOST_FRONT_DEATHS:
        journal.fail(entry, error_body(front_died(entry.front_deaths)))
    else:
        journal.requeue(entry, blameless=True, front_died=True)


def put_back(
    journal: Journal, entry: Entry, *, blameless: bool = True, unkept: bool = False
) -> None:
    """Queue a job again whose attempt came to nothing, or end it if it was called off before."""
    if journal.find(entry.owner, entry.id).stage == "cancelling":
        journal.cancel(entry)
    else:
        journal.requeue(entry, blameless=blameless, unkept=unkept)
