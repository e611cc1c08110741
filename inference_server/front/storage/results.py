"""What the front does with results: ``result.get``, ``result.delivered``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from shared.errors import RecamError
from shared.protocol.limits import CHUNK_BYTES
from shared.protocol.messages import Message
from shared.protocol.request import no_such_job

from ..journal.entry import Entry
from ..journal.journal import Journal
from .deletion import Deletion
from .kept import use
from .store import Store, disk_error, read_chunk

USED_SECONDS = 60.0  # between two notes that a result is being fetched


class Results:
    """Gives results out. ``handlers``: by type of message. state: the body of ``job.state``."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        deletion: Deletion,
        state: Callable[[Entry], dict],
    ) -> None:
        self._journal = journal
        self._store = store
        self._deletion = deletion
        self._state = state
        self.handlers = {"result.get": self._get, "result.delivered": self._delivered}

    async def _get(self, sender, owner, body, data) -> Message:
        entry = find_job(self._journal, owner, body)
        take, offset = body["take"], body["offset"]
        _check_finished(entry)
        if take >= (takes := len(entry.result["takes"])):
            raise RecamError(
                "no_result",
                f"The job {entry.id} has no take {take}.",
                f"It has {takes}, counted from 0.",
            )
        file = self._store.result(owner, entry.id, take)
        # Allocated here: what threads of a pool allocate, each of them would keep.
        chunk = bytearray(CHUNK_BYTES)
        try:
            if abs(time.time() - file.parent.stat().st_mtime) > USED_SECONDS:
                use(file.parent)
            chunk = await asyncio.to_thread(read_chunk, file, offset, chunk)
        except FileNotFoundError:
            raise RecamError(
                "result_gone",
                f"The result of job {entry.id} is no longer on the server.",
                "Render it again.",
            ) from None
        except OSError as error:  # it is there: whoever hears that it is gone renders it again
            raise disk_error(error) from None
        head = {"job": entry.id, "take": take, "offset": offset}
        return Message("result.chunk", head, data=chunk)

    async def _delivered(self, sender, owner, body, data) -> Message:
        entry = find_job(self._journal, owner, body)
        _check_finished(entry)
        await self._deletion.delivered(entry, body.get("delete", False))
        entry = find_job(self._journal, owner, body)  # of which little may be left
        return Message("job.state", self._state(entry))


def find_job(journal: Journal, owner: str, body: dict) -> Entry:
    """The owner's job that a message's body names, or RecamError ``no_such_job``."""
    job = body["job"]
    entry = journal.find(owner, job)
    if entry is None:
        raise no_such_job(job)
    return entry


def _check_finished(entry: Entry) -> None:
    if entry.stage != "finished":
        raise RecamError(
            "no_result", f"The job {entry.id} has no result.", "Wait for it to finish."
        )
