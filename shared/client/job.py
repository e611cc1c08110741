"""One job as its client follows it: upload, submit, listen, download."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from dataclasses import replace
from pathlib import Path

from ..errors import RecamError
from ..protocol.messages import Message, error_from
from ..protocol.request import JobRequest
from ..takes import take_path
from .connection import Connection, ConnectionLost
from .download import download
from .parts import remove
from .pictures import Pictures, seen
from .refusals import client_fault, let_go, odd_answer
from .room import Room
from .sent import drop
from .shot import with_shot
from .state import AT_WORK, ENDED, JobState, readable
from .upload import missing, upload

log = logging.getLogger(__name__)

TRIES = 3  # times that a request is sent again after a lost connection
BRINGING = ("finished", "failed")  # stages with a result, or an error
MOST_EVENTS = 20  # that wait to be looked at
QUIET_SECONDS = 20.0  # without an event for this long, the server is asked
SILENT = ("server_silent", "server_unreachable")  # errors of a server that may come back


class RemoteJob:
    """A job under way; made by ``Client``. ``state`` and ``cancel`` may be used from any thread."""

    def __init__(
        self,
        job: str,
        connection: Connection,
        patience: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.id = job
        self._connection = connection
        self._patience = patience
        self._state = JobState()
        self._over = threading.Event()
        self._loop = loop
        self._events: asyncio.Queue[dict] = asyncio.Queue()
        self._task: asyncio.Task | None = None
        self._sent: dict[str, str | None] = {}  # SHA-256 of files, if known, by upload
        self._deletes = False
        self._submitting = self._on_server = False
        self._called_off = False
        self._cancelling: asyncio.Future | None = None
        self._pictures = Pictures(job, connection)
        self._waits = ""  # why, while the server has no room
        self._room = Room(self._tell_wait)

    @property
    def state(self) -> JobState:
        """Where the job stands now."""
        state = self._state
        if state.ended:
            return state
        picture = self._pictures.newest if state.stage in AT_WORK else None
        trouble = self._connection.trouble() or self._waits
        return replace(state, trouble=trouble, picture=picture)

    @property
    def submitted(self) -> bool:
        """Whether the server has it, or may have: it has been sent and not been answered."""
        return self._submitting or self._on_server

    def wait(self, seconds: float) -> JobState:
        """Wait for the job's end, ``seconds`` at the most, and say where it stands."""
        self._over.wait(seconds)
        return self.state

    def cancel(self) -> None:
        """Ask for the job's end; ``state`` tells when it is cancelled."""
        self._loop.call_soon_threadsafe(self._cancel)

    def take_event(self, message: Message) -> None:
        """Called by the client for each event about this job."""
        if self._events.qsize() >= MOST_EVENTS:  # the newest tells all
            self._events.get_nowait()
        self._events.put_nowait(message.body)

    async def shoot(
        self, request: JobRequest, files: list[Path], beside: dict[str, Path], out: Path | None
    ) -> None:
        """Upload the files, submit the request with their hashes, and follow it to its end.

        beside: files for the request's ``depth`` and ``start``.
        """
        self._deletes = request.delete_on_delivery
        await self._live(self._shoot(request, files, beside, out))

    async def follow(self, out: Path | None, overwrite: bool) -> None:
        """Follow a job that the server already has, and fetch its takes to ``out``, ``out``-2 …"""
        self._on_server = True
        await self._live(self._follow(out, overwrite))

    async def _live(self, work) -> None:
        self._task = asyncio.ensure_future(work)
        if self._called_off:
            self._cancel()
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._called_off or self._submitting:  # the client is closed
                self._show(stage="failed", error=let_go(self.id, self.submitted))
                return
            if not self._on_server:
                await drop(self._connection, self._sent, self._deletes)
            self._show(stage="cancelled")
        except RecamError as error:
            self._show(stage="failed", error=error)
        except Exception as error:  # whoever waits for the job must hear of its end
            log.exception("job %s cannot be followed", self.id)
            self._show(stage="failed", error=client_fault(self.id, error))
        finally:
            self._pictures.close()
            self._over.set()

    async def _shoot(self, request: JobRequest, files, beside, out) -> None:
        for file in [*files, *beside.values()]:
            try:
                file.stat()
            except OSError as error:
                raise missing(file, error) from None
        await self._connection.begin(self._patience, urged=True)
        for tries in range(TRIES):
            self._show(stage="uploading")
            parts = [await self._upload(file) for file in files]
            digests = {name: await self._upload(file) for name, file in beside.items()}
            request = replace(request, parts=tuple(parts), job=self.id, **digests)
            try:
                await self._submit(request)
                break
            except RecamError as error:
                # Deleted meanwhile: as another job's that was delivered, or as too old.
                if error.code != "clip_gone" or tries == TRIES - 1:
                    raise
        self._on_server, self._submitting = True, False
        if self._called_off:
            await self._cancel_there()
        await self._follow(out, overwrite=True)

    async def _submit(self, request: JobRequest) -> None:
        body, data = await with_shot(request, self._upload)
        while True:
            self._submitting = True
            try:
                await self._ask("job.submit", body, data)
            except RecamError as error:
                if error.code in SILENT:
                    raise
                self._submitting = False
                if self._called_off:
                    raise asyncio.CancelledError from None
                await self._room.wait(error)
            else:
                return self._room.found()

    async def _upload(self, file: Path) -> str:
        def on_bytes(done: int, size: int) -> None:
            self._show(stage="uploading", step=done, steps=size)

        line = self._connection, file, self._patience, on_bytes, self._room
        return await upload(*line, self._sent)

    async def _follow(self, out: Path | None, overwrite: bool) -> None:
        body = (await self._ask("job.attach", {"job": self.id})).body
        while True:
            stage = body["stage"]
            self._show(
                # An end is shown together with what it brought: another thread may look now.
                stage=self._state.stage if stage in ENDED else stage,
                doing=body["doing"],
                step=body["step"],
                steps=body["steps"],
                seconds_left=body["seconds_left"],
                ahead=body["ahead"],
                remarks=tuple(readable(body.get("remarks", ()))),  # an older server's have none
                engine=body["engine"],
                engine_reason=body["engine_reason"],
            )
            self._pictures.look(body.get("picture", 0))  # an older server has none
            if body["error" if stage == "failed" else "result"] is None and stage in BRINGING:
                raise odd_answer(self._connection.address)
            if stage == "failed":
                raise error_from(body["error"])
            if stage == "cancelled":
                return self._show(stage="cancelled")
            if stage == "finished":
                break
            body = await self._next_event()
        result = body["result"] | {"remarks": readable(body["result"].get("remarks", ()))}
        if out is not None:
            await self._download(result, out, overwrite)
        self._show(stage="finished", result=result)

    async def _next_event(self) -> dict:
        try:
            async with asyncio.timeout(QUIET_SECONDS):  # not wait_for, see ``answer``
                return await self._events.get()
        except TimeoutError:
            return (await self._ask("job.attach", {"job": self.id})).body

    async def _download(self, result: dict, out: Path, overwrite: bool) -> None:
        takes = result["takes"]
        paths = [take_path(out, number) for number in range(len(takes))]
        if not overwrite and (there := next((path for path in paths if path.exists()), None)):
            raise RecamError(
                "out_exists", f"{there} exists already.", "Name another, or --overwrite."
            )
        before, size = 0, sum(take["size"] for take in takes)

        def on_bytes(done: int, _: int) -> None:
            self._show(stage="downloading", step=before + done, steps=size)

        self._show(stage="downloading", step=0, steps=size, result=result)
        line = self._connection, self._patience, on_bytes, self._room
        try:
            for number, (take, path) in enumerate(zip(takes, paths, strict=True)):
                await download(self.id, number, take, path, *line)
                before += take["size"]
        except asyncio.CancelledError:
            if self._called_off:  # else it is fetched on by whoever follows the job next
                remove(path)
            raise

    async def _ask(self, kind: str, body: dict, data: bytes = b"") -> Message:
        """A request that is sent again after a lost connection: all of them can bear it."""
        for _ in range(TRIES):
            await self._connection.ready(self._patience)
            with contextlib.suppress(ConnectionLost):
                return await self._connection.request(kind, body, data)
        raise RecamError(
            "server_silent",
            f"The server at {self._connection.address} is there but does not answer.",
            f"Fetch the job later: `recam fetch {self.id} -o FILE`.",
        )

    def connection_back(self) -> None:
        """Called by the client after a reconnect: the server must be told who listens."""
        if self._on_server and not self._state.ended:
            self._connection.post("job.attach", {"job": self.id}).add_done_callback(
                self._reattached
            )

    def _reattached(self, future: asyncio.Future) -> None:
        if seen(future):
            self.take_event(future.result())

    def _cancel(self) -> None:
        if self._on_server and self._state.stage != "downloading":
            self._cancelling = asyncio.ensure_future(self._cancel_there())
            return
        self._called_off = True
        # One that is being submitted is so to its end, over a new connection too: until that is
        # answered the server may yet accept it, whatever it says to a cancel.
        if self._task and not self._submitting:
            self._task.cancel()

    async def _cancel_there(self) -> None:
        with contextlib.suppress(RecamError):  # following the job says what is wrong
            self.take_event(await self._ask("job.cancel", {"job": self.id}))

    def _tell_wait(self, sentence: str) -> None:
        self._waits = sentence

    def _show(self, **changes) -> None:
        changes = {"seconds_left": None, "doing": "", "ahead": 0, **changes}
        self._state = replace(self._state, **changes)
