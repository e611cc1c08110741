"""Takes jobs in: what they ask for is looked at, a long shot is read, and the journal has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from weakref import WeakValueDictionary

from shared.errors import RecamError
from shared.protocol.request import JobRequest

from ...engines.registry import check_name, check_settings
from ..journal.entry import Entry
from ..journal.journal import Journal
from ..limits import Limits
from ..refusals import check_shots, check_waiting, client_limit
from ..storage.clips import Clips
from ..storage.kept import set_aside, sweep
from ..storage.slow import later
from ..storage.store import Store
from ..storage.uses import count_waiting, needed, shot_bytes, without_result
from .dispatcher import Dispatcher
from .shots import long_size, read_long

MOST_READ = 4  # long shots of one client that are read, or wait for that


class Reading(NamedTuple):
    """A job whose long shot is read, or waits for that."""

    owner: str
    job: str
    shot: Path


class Acceptance:
    """let_go: called in the task that answers, once its message may be a thing of the past."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        dispatcher: Dispatcher,
        clips: Clips,
        limits: Limits,
        let_go: Callable[[], None],
    ) -> None:
        self._journal, self._store, self._dispatcher = journal, store, dispatcher
        self._clips, self._limits, self._let_go = clips, limits, let_go
        self._reading: list[Reading] = []
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def accept(self, owner: str, body: dict, data: memoryview) -> Entry:
        """The job that a ``job.submit`` asks for, in the journal; RecamError where it cannot be.

        Without a wait, but for a long shot.
        """
        # One that is sent again has been looked at before, and its clips may be gone by now.
        if entry := self._journal.find(owner, body["job"]):
            return entry
        if "shot" in body:
            return await self._accept_long(owner, body)
        request = JobRequest.from_message(body, data)
        self._check(owner, body, len(data))
        return self._take_in(owner, request, data)

    async def settled(self, owner: str, job: str) -> None:
        """Wait until a job whose shot is being read is in the journal, or refused."""
        if any(reading[:2] == (owner, job) for reading in self._reading):
            self._let_go()
            async with self._turn(owner):
                pass

    async def _accept_long(self, owner: str, body: dict) -> Entry:
        file = self._store.clip(owner, body["shot"])
        try:
            self._check(owner, body, long_size(file))
        except FileNotFoundError:
            raise _gone(body["name"]) from None
        if sum(reading.owner == owner for reading in self._reading) >= MOST_READ:
            raise client_limit(
                f"{MOST_READ} long shots of yours are being read; that is the most at once.",
                "Send this one once those jobs are accepted.",
            )
        reading = Reading(owner, body["job"], file)
        self._reading.append(reading)
        self._let_go()
        try:
            # One of a client's at a time: nobody waits behind all that another has sent.
            async with self._turn(owner):
                entry = self._journal.find(owner, reading.job)  # it may have been sent twice
                entry = entry or await self._read_in(owner, body, file)
        finally:
            self._reading.remove(reading)
        # The journal has it now; others that are sent at once may name it.
        others = {reading.shot for reading in self._reading}
        if file not in others and body["shot"] not in needed(self._journal, owner):
            set_aside(self._store.folder, file)
            later(sweep, self._store.folder)
        return entry

    async def _read_in(self, owner: str, body: dict, file: Path) -> Entry:
        try:
            request, shot = await read_long(body, file)
        except FileNotFoundError:
            raise _gone(body["name"]) from None
        self._check(owner, body, len(shot))  # once more: reading takes a moment
        return self._take_in(owner, request, shot)

    def _check(self, owner: str, body: dict, size: int) -> None:
        """RecamError where a job cannot be accepted, whatever its shot of so many bytes holds."""
        check_name(body["engine"])
        check_settings(body["settings"], body["start"])
        self._dispatcher.check_release(body["engine"], body["settings"])
        check_waiting(self._limits, *count_waiting(self._journal, owner))
        check_shots(self._limits, shot_bytes(self._journal, owner), size)
        for part in {*body["parts"], *filter(None, (body["depth"], body["start"]))}:
            if not self._clips.held(owner, part):
                raise _gone(body["name"])

    def _take_in(self, owner: str, request: JobRequest, shot: bytes | memoryview) -> Entry:
        entry = self._journal.accept(owner, request, shot)
        for number in without_result(self._journal, owner, self._limits.ended_per_client):
            self._journal.forget(number)
        return entry

    def _turn(self, owner: str) -> asyncio.Lock:
        """Held by whose shot is read, of one client's; they take turns in the order they came."""
        return self._turns.setdefault(owner, asyncio.Lock())


def _gone(name: str) -> RecamError:
    return RecamError(
        "clip_gone",
        f"The clip {name!r}, or what belongs to it, is not on the server.",
        "Send it first, or again.",
    )
