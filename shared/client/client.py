"""The client that add-on and command use, from any thread; its own thread does the work."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import zmq.asyncio

from ..errors import RecamError
from ..protocol.keys import check_public_key, client_keys, public_key_of, server_keys
from ..protocol.kinds import is_hexadecimal
from ..protocol.limits import DEFAULT_ADDRESS
from ..protocol.messages import Message
from ..protocol.request import JobRequest, no_such_job
from .address import full_address
from .connection import Connection, ConnectionLost
from .job import RemoteJob
from .upload import upload

PATIENCE_SECONDS = 60.0  # for a server that is restarting
ESTIMATE_SECONDS = 180.0  # of a size that the server has to count, on a machine that is busy


class Client:
    """A connection to one server, kept up by one background thread.

    address: ``tcp://host:port``; default the environment's ``RECAM_SERVER``, else this machine's.
    server_key: the server's public key; default that of this user's own server, and with
    ``RECAM_SERVER`` that in ``RECAM_SERVER_KEY``, which may name a file as well.
    patience: seconds to wait for a server that does not answer before giving up.

    ``ask``, ``shoot``, ``attach`` and ``upload`` return at once; ``server``, ``jobs`` and
    ``cancel`` wait, for a bounded time. Raises RecamError for keys that cannot be read and for an
    address that is none.
    """

    def __init__(
        self,
        address: str | None = None,
        server_key: str | bytes | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        if not address:
            address = os.environ.get("RECAM_SERVER") or DEFAULT_ADDRESS
            if not server_key and (given := os.environ.get("RECAM_SERVER_KEY")):
                server_key = public_key_of(given, "RECAM_SERVER_KEY")
        self.address = full_address(address)
        self._server_key = check_public_key(server_key) if server_key else server_keys().public
        self._keys = client_keys()
        self._patience = patience
        self._jobs: set[RemoteJob] = set()  # under way
        self._loop = _event_loop()
        self._thread = threading.Thread(target=self._run, name="recam-client", daemon=True)
        self._thread.start()
        try:
            self._wait(self._call(self._open), 10)
        except BaseException:
            self.close()
            raise

    def ask(
        self, kind: str, body: dict | None = None, seconds: float = 10.0
    ) -> concurrent.futures.Future[dict]:
        """Send a request of docs/protocol.md and return at once: for whoever must not wait.

        The future brings the answer's body, or RecamError, within about ``seconds``; ask its
        ``done()`` before its ``result()``. For example ``server.info``, ``job.list``, and
        ``job.cancel`` with the body ``{"job": id}``.
        """
        return self._call(self._ask, kind, body or {}, seconds)

    def server(self, seconds: float = 10.0) -> dict:
        """What the server says of itself: version, engines, limits. Waits ``seconds`` at most."""
        return self._wait(self.ask("server.info", {}, seconds), seconds + 1)

    def jobs(self, seconds: float = 10.0) -> list[dict]:
        """This key's jobs on the server, newest first. Waits ``seconds`` at most."""
        return self._wait(self.ask("job.list", {}, seconds), seconds + 1)["jobs"]

    def cancel(self, job: str, seconds: float = 10.0) -> dict:
        """Cancel a job by its id and return where it stands. Waits ``seconds`` at most."""
        _check_id(job)
        return self._wait(self.ask("job.cancel", {"job": job}, seconds), seconds + 1)

    def estimate(
        self,
        width: int,
        height: int,
        frames: int,
        rate: Fraction,
        engine: str = "auto",
        settings: dict | None = None,
        depth: bool = False,
        start: bool = False,
    ) -> concurrent.futures.Future[dict]:
        """Ask what a job would take, before it is sent; returns at once, see ``ask``.

        width, height: of the clip, pixels. rate: frames a second. depth, start: whether such a
        file would come along. The answer's fields are those of ``job.estimate``; the first of a
        size takes seconds. RecamError where the engine would refuse the job.
        """
        body = {
            "engine": engine,
            "width": width,
            "height": height,
            "frames": frames,
            "rate": str(Fraction(rate).limit_denominator(1_000_000)),  # as a Trajectory has it
            "settings": settings or {},
            "depth": depth,
            "start": start,
        }
        return self.ask("job.estimate", body, ESTIMATE_SECONDS)

    def shoot(
        self,
        request: JobRequest,
        files: list[Path],
        out: Path | None,
        depth: Path | None = None,
        start: Path | None = None,
    ) -> RemoteJob:
        """Upload the clip's files, submit the request with their hashes, fetch the takes.

        Returns at once; see the job's ``state``. The takes go to ``out`` and beside it, see
        ``take_path``; for None they stay on the server. depth, start: files for the request's own
        of that name.
        """
        beside = {name: file for name, file in (("depth", depth), ("start", start)) if file}
        return self._start(request.job, lambda job: job.shoot(request, files, beside, out))

    def attach(self, job: str, out: Path | None = None, overwrite: bool = True) -> RemoteJob:
        """Follow a job that the server has, and fetch its takes to ``out`` if given.

        Returns at once; see the job's ``state``. Raises RecamError ``no_such_job`` for an id that
        is none.
        """
        _check_id(job)
        return self._start(job, lambda remote: remote.follow(out, overwrite))

    def delivered(self, job: str, delete: bool = False) -> concurrent.futures.Future[dict]:
        """Tell the server that all takes of a job are here, verified and on the disk.

        Only then: of a job that was sent with ``delete_on_delivery`` it deletes takes and clips,
        and of any other where ``delete`` says so.
        Returns at once; it is told again after a lost connection. The future brings where the job
        stands.
        """
        return self._call(self._deliver, {"job": job} | ({"delete": True} if delete else {}))

    def upload(
        self, path: Path, on_bytes: Callable[[int, int], None] = lambda done, size: None
    ) -> concurrent.futures.Future[str]:
        """Send a file ahead of its job; the future brings its SHA-256."""

        async def send() -> str:
            await self._connection.begin(self._patience, urged=True)
            return await upload(self._connection, path, self._patience, on_bytes)

        return self._call(send)

    def close(self, seconds: float = 5.0) -> None:
        """Let go of the server. Jobs go on there.

        Waits ``seconds`` at most for the thread's end, which comes at once, but for a host whose
        name is being looked up: 0 for whoever must not wait.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(seconds)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc) -> None:
        self.close()

    async def _open(self) -> None:
        self._context = zmq.asyncio.Context()
        self._connection = Connection(
            self._context, self.address, self._server_key, self._keys, self._on_event, self._on_back
        )

    async def _ask(self, kind: str, body: dict, seconds: float) -> dict:
        await self._connection.begin(min(seconds, self._patience))
        try:
            return (await self._connection.request(kind, body, seconds=seconds)).body
        except ConnectionLost:
            raise self._connection.error or _silent(self.address) from None

    async def _deliver(self, body: dict) -> dict:
        while True:
            await self._connection.ready(self._patience)
            with contextlib.suppress(ConnectionLost):
                return (await self._connection.request("result.delivered", body)).body

    def _start(self, job: str, work) -> RemoteJob:
        remote = RemoteJob(job, self._connection, self._patience, self._loop)

        async def begin() -> None:
            self._jobs.add(remote)
            try:
                await work(remote)
            finally:
                self._jobs.discard(remote)

        self._call(begin)
        return remote

    def _on_event(self, message: Message) -> None:
        if message.type == "job.state":
            for remote in self._jobs:
                if remote.id == message.body["job"]:
                    remote.take_event(message)

    def _on_back(self) -> None:
        for remote in self._jobs:
            remote.connection_back()

    def _call(self, work, *arguments) -> concurrent.futures.Future:
        return asyncio.run_coroutine_threadsafe(work(*arguments), self._loop)

    def _wait(self, future: concurrent.futures.Future, seconds: float):
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise _silent(self.address) from None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
            if hasattr(self, "_connection"):
                self._connection.close()
        finally:
            # Else whoever collects it waits for its sockets, for ever: Blender's own thread, even.
            if hasattr(self, "_context"):
                self._context.destroy(linger=0)
            with contextlib.suppress(RuntimeError):
                self._loop.close()


def _event_loop() -> asyncio.AbstractEventLoop:
    # ZeroMQ's descriptors need a selector; Windows' default loop has none.
    return asyncio.SelectorEventLoop()


def _check_id(job: str) -> None:
    """What is no id is no job: RecamError ``no_such_job``, where the wire says ``bad_message``."""
    if not is_hexadecimal(job, 32):
        raise no_such_job(job)


def _silent(address: str) -> RecamError:
    return RecamError(
        "server_silent",
        f"The server at {address} did not answer in time.",
        "Try again; `recam doctor` tells how the server is.",
    )
