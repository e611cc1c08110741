"""A client that is never killed: attached to every job, it writes down each end it hears of."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import defaultdict

import zmq.asyncio

from shared.client.connection import Connection, ConnectionLost
from shared.errors import RecamError
from shared.protocol.keys import KeyPair
from shared.protocol.messages import Message

ENDS = ("finished", "failed", "cancelled")
LOOK_SECONDS = 0.5


class Observer:
    """Watches the jobs of one key through a connection of its own, in a thread of its own.

    ends: for each job, every end that it was told of, ``(stage, time, takes' hashes)``, once each.
    told: how often an end was told without being asked for.
    revived: jobs of which something else was told after their end.
    stages: the newest of each.
    """

    def __init__(self, address: str, server_key: bytes, keys: KeyPair, jobs: list[str]) -> None:
        self.ends: dict[str, set[tuple]] = defaultdict(set)
        self.told: dict[str, int] = defaultdict(int)
        self.revived: set[str] = set()
        self.stages: dict[str, str] = {}
        self.errors: dict[str, str] = {}  # codes of failed jobs
        self._attached: set[str] = set()
        self._waiting = list(jobs)
        self._arguments = address, server_key, keys
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._watch())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)
        self._loop.close()

    async def _watch(self) -> None:
        context = zmq.asyncio.Context()
        address, server_key, keys = self._arguments
        connection = Connection(context, address, server_key, keys, self._event, self._back)
        try:
            while True:
                with contextlib.suppress(RecamError, ConnectionLost):
                    await connection.ready(60)
                    await self._attach(connection)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            connection.close()
            context.term()

    async def _attach(self, connection: Connection) -> None:
        missing = 0
        for job in [job for job in self._waiting if job not in self._attached]:
            self._attached.add(job)  # before the answer: a new connection empties this set
            try:
                answer = await connection.request("job.attach", {"job": job})
            except (RecamError, ConnectionLost):
                self._attached.discard(job)
                missing += 1
                if missing == 20:
                    return  # the rest is not sent yet
            else:
                self._note(answer.body)

    def _back(self) -> None:
        self._attached = {job for job in self._waiting if self.ends[job]}

    def _event(self, message: Message) -> None:
        if message.type == "job.state":
            self.told[message.body["job"]] += message.body["stage"] in ENDS
            self._note(message.body)

    def _note(self, body: dict) -> None:
        job, stage = body["job"], body["stage"]
        self.stages[job] = stage
        if stage in ENDS:
            takes = tuple(take["sha256"] for take in (body["result"] or {"takes": ()})["takes"])
            self.ends[job].add((stage, body["ended"], takes))
            if body["error"]:
                self.errors[job] = body["error"]["code"]
        elif self.ends[job]:
            self.revived.add(job)
