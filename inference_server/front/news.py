"""Tells clients of changes to the jobs that they follow."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable

import zmq

from shared.errors import RecamError
from shared.protocol.messages import Message

from .journal.entry import Entry
from .journal.journal import Journal
from .network.door import Door
from .network.wire import Wire

PROGRESS_SECONDS = 0.2  # between two words about one job that only tell how far it is


class News:
    """state: the body of ``job.state`` for a job."""

    def __init__(
        self, wire: Wire, door: Door, journal: Journal, state: Callable[[Entry], dict]
    ) -> None:
        self._wire, self._door, self._journal, self._state = wire, door, journal, state
        self._listeners: dict[int, set[bytes]] = defaultdict(set)
        self._last_told: dict[int, tuple[tuple, float]] = {}
        self._late: dict[tuple[bytes, str, str], None] = {}  # who is yet to be told, of which job
        self._telling_late = False

    def follow(self, entry: Entry, listener: bytes) -> None:
        """That connection is told of the job's changes from now on, to its end."""
        if not entry.over:
            self._listeners[entry.number].add(listener)

    def changed(self, entry: Entry) -> None:
        """Tell who follows the job; at once, unless only its progress is new."""
        if listeners := self._listeners.get(entry.number):
            body = self._state(entry)
            news = "stage", "ahead", "doing", "picture"
            what = (*(body[name] for name in news), len(body["remarks"]))
            told, when = self._last_told.get(entry.number, (None, 0.0))
            now = time.monotonic()
            if what != told or now - when >= PROGRESS_SECONDS:
                self._last_told[entry.number] = (what, now)
                self._tell(entry, body, listeners)
        if entry.over:
            self._listeners.pop(entry.number, None)
            self._last_told.pop(entry.number, None)

    def _tell(self, entry: Entry, body: dict, listeners: set[bytes]) -> None:
        if not self._door.lets_in(entry.owner):
            return
        for listener in list(listeners):
            failed = self._wire.send(listener, Message("job.state", body))
            self._late.pop((listener, entry.owner, entry.id), None)
            if isinstance(failed, zmq.Again):
                # Full with news, of many jobs at once: what it then needs is the newest alone.
                self._tell_later(listener, entry.owner, entry.id)
            elif failed:
                listeners.discard(listener)

    def _tell_later(self, listener: bytes, owner: str, job: str) -> None:
        self._late[listener, owner, job] = None
        if not self._telling_late:
            self._telling_late = True
            asyncio.get_running_loop().call_later(PROGRESS_SECONDS, self._tell_late)

    def _tell_late(self) -> None:
        late, self._late, self._telling_late = self._late, {}, False
        for listener, owner, job in late:
            try:
                entry = self._journal.find(owner, job)
            except RecamError:  # the journal cannot be read now
                self._tell_later(listener, owner, job)
                continue
            if entry:
                self._tell(entry, self._state(entry), {listener})
