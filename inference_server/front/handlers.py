"""What the front does with each type of message. Specified in docs/protocol.md."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from shared.errors import RecamError
from shared.protocol.limits import CHUNK_BYTES, CREDIT, PROTOCOL
from shared.protocol.messages import Message, digest, identifier, require, text, whole
from shared.protocol.request import JobRequest, no_such_job
from shared.version import VERSION

from ..engines.registry import as_body, check_name, check_settings
from .dispatcher import Dispatcher
from .estimates import read_question
from .journal import Entry, Journal
from .store import Incoming, Store, disk_error, read_chunk, upload_closed

MOST_CLIP_BYTES = 1 << 40
OPEN_UPLOADS = 64  # files held open; the longest unused is closed, and its client begins again


class Handlers:
    """Answers messages. ``listeners``: for each job's number, who is told of its changes."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        dispatcher: Dispatcher,
        listeners: dict[int, set[bytes]],
    ) -> None:
        self._journal = journal
        self._store = store
        self._dispatcher = dispatcher
        self._listeners = listeners
        self._incoming: OrderedDict[tuple[str, str], Incoming] = OrderedDict()
        self._handlers = {
            "hello": self._hello,
            "server.info": self._info,
            "blob.have": self._have,
            "blob.put": self._put,
            "blob.chunk": self._chunk,
            "blob.end": self._end,
            "job.estimate": self._estimate,
            "job.submit": self._submit,
            "job.attach": self._attach,
            "job.cancel": self._cancel,
            "job.list": self._list,
            "job.picture": self._picture,
            "result.get": self._result,
        }

    async def handle(self, sender: bytes, owner: str, message: Message) -> Message:
        """The answer to a message, or RecamError."""
        handler = self._handlers.get(message.type)
        if handler is None:
            raise RecamError(
                "unknown_message",
                f"The server does not know the message {message.type!r}.",
                "Install the same version of Recam on both sides.",
            )
        return await handler(sender, owner, message.body, message.data)

    def close(self) -> None:
        """Let go of the files of uploads under way."""
        while self._incoming:
            self._incoming.popitem()[1].close()

    async def _hello(self, sender, owner, body, data) -> Message:
        whole(body, "protocol", 1)
        text(body, "client")
        return Message("welcome", self._about())

    async def _info(self, sender, owner, body, data) -> Message:
        return Message("server.info", self._about())

    def _about(self) -> dict:
        return {
            "protocol": PROTOCOL,
            "server": f"recam {VERSION}",
            "engines": as_body(self._dispatcher.engines),
            "chunk_bytes": CHUNK_BYTES,
            "credit": CREDIT,
            "trouble": self._dispatcher.trouble,
        }

    async def _have(self, sender, owner, body, data) -> Message:
        wanted = digest(body, "sha256")
        held = self._store.clip(owner, wanted).is_file()
        return Message("blob.held" if held else "blob.missing", {"sha256": wanted})

    async def _put(self, sender, owner, body, data) -> Message:
        upload = identifier(body, "upload")
        size = whole(body, "size", 1, MOST_CLIP_BYTES)
        if body.get("sha256") is not None:
            wanted = digest(body, "sha256")
            if self._store.clip(owner, wanted).is_file():
                await self._drop((owner, upload))
                self._store.upload(owner, upload).unlink(missing_ok=True)
                return Message("blob.held", {"sha256": wanted})
        await self._drop((owner, upload))
        file = self._store.upload(owner, upload)
        # Taking up an old upload reads what is there, to go on with its hash.
        try:
            incoming = await asyncio.to_thread(Incoming, file, size)
        except OSError as error:
            raise disk_error(error) from None
        self._incoming[owner, upload] = incoming
        if len(self._incoming) > OPEN_UPLOADS:
            await self._drop(next(iter(self._incoming)))
        return Message("blob.go", {"upload": upload, "offset": incoming.offset})

    async def _chunk(self, sender, owner, body, data) -> Message:
        upload = identifier(body, "upload")
        offset, wanted = whole(body, "offset"), digest(body, "sha256")
        incoming = self._open(owner, upload)
        async with incoming.lock:  # chunks queue here in the order in which they came
            await asyncio.to_thread(incoming.append, offset, wanted, data)
        return Message("blob.ack", {"upload": upload, "offset": incoming.offset})

    async def _end(self, sender, owner, body, data) -> Message:
        upload, wanted = identifier(body, "upload"), digest(body, "sha256")
        incoming = self._open(owner, upload)
        del self._incoming[owner, upload]
        async with incoming.lock:
            await asyncio.to_thread(incoming.finish, wanted, self._store.clip(owner, wanted))
        return Message("blob.held", {"sha256": wanted})

    async def _estimate(self, sender, owner, body, data) -> Message:
        engine, question = text(body, "engine", 40), read_question(body)
        check_name(engine)
        check_settings(question["settings"], question["start"] or None)
        return Message("job.estimate", await self._dispatcher.estimate(engine, question))

    async def _submit(self, sender, owner, body, data) -> Message:
        if len(data) <= CHUNK_BYTES:  # in order: a cancel may be right behind it
            request = JobRequest.from_message(body, data)
        else:  # a shot of some hours takes a second to read
            request = await asyncio.to_thread(JobRequest.from_message, body, bytes(data))
        check_name(request.engine)
        check_settings(request.settings, request.start)
        for part in {*request.parts, *filter(None, (request.depth, request.start))}:
            if not self._store.clip(owner, part).is_file():
                raise RecamError(
                    "clip_gone",
                    f"The clip {request.name!r} is not on the server.",
                    "Send it first, or again.",
                )
        entry = self._journal.accept(owner, request, bytes(data))
        if not entry.over:
            self._listeners[entry.number].add(sender)
        # Not within this answer: the job is accepted, whatever becomes of it.
        asyncio.get_running_loop().call_soon(self._dispatcher.wake)
        return Message("job.accepted", {"job": entry.id})

    async def _attach(self, sender, owner, body, data) -> Message:
        entry = self._find(owner, body)
        if not entry.over:
            self._listeners[entry.number].add(sender)
        return Message("job.state", job_body(entry, self._journal, self._dispatcher))

    async def _cancel(self, sender, owner, body, data) -> Message:
        entry = self._find(owner, body)
        self._dispatcher.cancel(entry)
        entry = self._journal.find(owner, entry.id)
        return Message("job.state", job_body(entry, self._journal, self._dispatcher))

    async def _list(self, sender, owner, body, data) -> Message:
        entries = self._journal.newest(owner)
        jobs = [job_body(entry, self._journal, self._dispatcher) for entry in entries]
        return Message("job.list", {"jobs": jobs})

    async def _picture(self, sender, owner, body, data) -> Message:
        entry = self._find(owner, body)
        newest = self._dispatcher.progress(entry).picture
        told = {name: getattr(newest, name) for name in ("number", "width", "height")}
        return Message("job.picture", {"job": entry.id, **told}, data=newest.rgb)

    async def _result(self, sender, owner, body, data) -> Message:
        entry = self._find(owner, body)
        take, offset = whole(body, "take"), whole(body, "offset")
        if entry.stage != "finished":
            raise RecamError(
                "no_result", f"The job {entry.id} has no result.", "Wait for it to finish."
            )
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
            chunk, hashed = await asyncio.to_thread(read_chunk, file, offset, chunk)
        except OSError:
            raise RecamError(
                "result_gone",
                f"The result of job {entry.id} is no longer on the server.",
                "Render it again.",
            ) from None
        head = {"job": entry.id, "take": take, "offset": offset, "sha256": hashed}
        return Message("result.chunk", head, data=chunk)

    def _find(self, owner: str, body: dict) -> Entry:
        job = identifier(body, "job")
        entry = self._journal.find(owner, job)
        if entry is None:
            raise no_such_job(job)
        return entry

    def _open(self, owner: str, upload: str) -> Incoming:
        incoming = self._incoming.get((owner, upload))
        if incoming is None:
            raise upload_closed()
        self._incoming.move_to_end((owner, upload))
        return incoming

    async def _drop(self, key: tuple[str, str]) -> None:
        if incoming := self._incoming.pop(key, None):
            async with incoming.lock:
                await asyncio.to_thread(incoming.close)


def job_body(entry: Entry, journal: Journal, dispatcher: Dispatcher) -> dict:
    """A job as clients are told of it: the body of ``job.state``."""
    progress = dispatcher.progress(entry)
    return {
        "job": entry.id,
        "name": require(entry.body, "name", str),
        "stage": entry.stage,
        "step": progress.done,
        "steps": progress.steps,
        "doing": progress.doing,
        "seconds_left": progress.seconds_left,
        "picture": progress.picture.number,
        "remarks": entry.result["remarks"] if entry.result else progress.remarks,
        "ahead": journal.ahead_of(entry) if entry.stage == "queued" else 0,
        "engine": entry.engine,
        "engine_reason": entry.engine_reason or dispatcher.trouble,
        "result": entry.result,
        "error": entry.error,
        "accepted": entry.accepted,
        "ended": entry.ended,
    }
