"""What the front does with clips: ``blob.have``, ``.put``, ``.chunk``, ``.end``, ``.drop``."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from weakref import WeakValueDictionary

from shared.protocol.limits import CHUNK_BYTES
from shared.protocol.messages import Message

from ..limits import Limits
from ..refusals import client_limit, server_full
from .housekeeping import Housekeeping
from .kept import set_aside, sweep, use
from .slow import slowly
from .store import Incoming, Store, disk_error, upload_closed

IDLE_SECONDS = 30.0  # without a chunk: such an upload is closed where others want to begin
FORGOTTEN_SECONDS = 300.0  # … and such a one anyway: what it has not sent is room for others

OpenUploads = OrderedDict[tuple[str, str], Incoming]  # by owner and id, the longest unused first


class Clips:
    """Takes clips in. ``handlers``: by type of message. incoming: the uploads that are open."""

    def __init__(
        self, store: Store, limits: Limits, housekeeping: Housekeeping, incoming: OpenUploads
    ) -> None:
        self._store = store
        self._limits = limits
        self._housekeeping = housekeeping
        self._incoming = incoming
        self._opening: dict[tuple[str, str], int] = {}  # sizes of uploads that are about to be open
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self.handlers = {
            "blob.have": self._have,
            "blob.put": self._put,
            "blob.chunk": self._chunk,
            "blob.end": self._end,
            "blob.drop": self._unwanted,
        }

    def close(self) -> None:
        """Let go of the files of uploads under way."""
        while self._incoming:
            self._incoming.popitem()[1].close()

    def held(self, owner: str, digest: str) -> bool:
        """Whether the server holds the clip; one that is asked for is of use."""
        clip = self._store.clip(owner, digest)
        if held := clip.is_file():
            use(clip)
        return held

    async def _have(self, sender, owner, body, data) -> Message:
        held = self.held(owner, body["sha256"])
        return Message("blob.held" if held else "blob.missing", {"sha256": body["sha256"]})

    async def _put(self, sender, owner, body, data) -> Message:
        upload, size, wanted = body["upload"], body["size"], body["sha256"]
        async with self._alone(owner, upload):
            if wanted and self.held(owner, wanted):
                await self._discard(owner, upload)
                return Message("blob.held", {"sha256": wanted})
            incoming = await self._taken_up(owner, upload, size)
            incoming.touch(sender)
        return Message("blob.go", {"upload": upload, "offset": incoming.offset})

    async def _chunk(self, sender, owner, body, data) -> Message:
        upload, offset, wanted = body["upload"], body["offset"], body["sha256"]
        incoming = self._open(owner, upload)
        incoming.touch(sender)
        async with incoming.lock:  # chunks queue here in the order in which they came
            await asyncio.to_thread(incoming.append, offset, wanted, data)
        return Message("blob.ack", {"upload": upload, "offset": incoming.offset})

    async def _end(self, sender, owner, body, data) -> Message:
        upload, wanted = body["upload"], body["sha256"]
        async with self._alone(owner, upload):
            clip = self._store.clip(owner, wanted)
            if clip.is_file():  # another client with the same file was faster
                await self._discard(owner, upload)
                return Message("blob.held", {"sha256": wanted})
            incoming = self._open(owner, upload)
            del self._incoming[owner, upload]
            async with incoming.lock:
                await slowly(incoming.finish, wanted, clip)
        return Message("blob.held", {"sha256": wanted})

    async def _unwanted(self, sender, owner, body, data) -> Message:
        upload, wanted = body["upload"], body["sha256"]
        async with self._alone(owner, upload):
            incoming = self._incoming.get((owner, upload))
            if not (incoming and incoming.is_sent_by_others(sender, IDLE_SECONDS)):
                await self._drop((owner, upload))
                set_aside(self._store.folder, self._store.upload(owner, upload))
            if wanted and not await self._housekeeping.is_named(owner, wanted):
                set_aside(self._store.folder, self._store.clip(owner, wanted))
        await slowly(sweep, self._store.folder)
        return Message("blob.dropped", {"upload": upload})

    async def _taken_up(self, owner: str, upload: str, size: int) -> Incoming:
        """The upload as it is open: its client came back, or a second one has the same file.

        Else from the disk, where what is there is read, to go on with its hash.
        """
        key = owner, upload
        incoming = self._incoming.get(key)
        if incoming and incoming.size == size:
            async with incoming.lock:  # what was sent before is kept by now
                return incoming
        await self._drop(key)
        await self._check_count(owner, size)
        self._opening[key] = size
        try:
            incoming = self._incoming[key] = await self._read_on(key, size)
        finally:
            del self._opening[key]
        return incoming

    async def _read_on(self, key: tuple[str, str], size: int) -> Incoming:
        file = self._store.upload(*key)
        arrived = file.stat().st_size if file.exists() else 0
        if arrived:
            use(file)  # lest it be thrown away at this moment, because of its age
        await self._housekeeping.make_room(key[0], max(0, size - arrived), size)
        try:
            incoming = await asyncio.to_thread(Incoming, file, size)
            while await asyncio.to_thread(incoming.read_on):
                pass
        except OSError as error:
            raise disk_error(error) from None
        return incoming

    async def _check_count(self, owner: str, size: int) -> None:
        """RecamError ``client_limit`` or ``server_full`` unless one more upload may be open.

        One whose client sends nothing any more is closed for it, and may be taken up again.
        """
        for key in self._idle(FORGOTTEN_SECONDS):
            await self._drop(key)
        for full, own in ((self._full_of, True), (self._full, False)):
            idle = [key for key in self._idle(IDLE_SECONDS) if key[0] == owner or not own]
            while idle and full(owner, size):
                await self._drop(idle.pop(0))
        if self._full_of(owner, size):
            raise client_limit(
                f"{self._limits.uploads_per_client} clips of yours are being sent; that is the "
                "most at once.",
                "Send this one once another has arrived.",
            )
        if self._full(owner, size):
            raise server_full(
                f"{len(self._incoming)} clips are being sent to the server; it takes no more now.",
                "Send this one once another has arrived.",
            )

    def _idle(self, seconds: float) -> list[tuple[str, str]]:
        now = time.monotonic()
        return [key for key, each in self._incoming.items() if now - each.touched > seconds]

    def _full_of(self, owner: str, size: int) -> bool:
        own = sum(key[0] == owner for key in (*self._incoming, *self._opening))
        return own >= self._limits.uploads_per_client

    def _full(self, owner: str, size: int) -> bool:
        coming = [incoming.size - incoming.offset for incoming in self._incoming.values()]
        coming += [*self._opening.values(), size]
        buffered = sum(min(bytes_left, 2 * CHUNK_BYTES) for bytes_left in coming)
        count = len(self._incoming) + len(self._opening)
        return count >= self._limits.uploads or buffered > self._limits.uploading

    def _open(self, owner: str, upload: str) -> Incoming:
        incoming = self._incoming.get((owner, upload))
        if incoming is None:
            raise upload_closed()
        self._incoming.move_to_end((owner, upload))
        return incoming

    def _alone(self, owner: str, upload: str) -> asyncio.Lock:
        """Held by whoever opens or ends that upload."""
        return self._locks.setdefault((owner, upload), asyncio.Lock())

    async def _discard(self, owner: str, upload: str) -> None:
        await self._drop((owner, upload))
        self._store.upload(owner, upload).unlink(missing_ok=True)

    async def _drop(self, key: tuple[str, str]) -> None:
        if incoming := self._incoming.pop(key, None):
            async with incoming.lock:
                await asyncio.to_thread(incoming.close)
