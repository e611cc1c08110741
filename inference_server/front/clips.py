"""What the front does with clips: ``blob.have``, ``blob.put``, ``blob.chunk``, ``blob.end``."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from weakref import WeakValueDictionary

from shared.protocol.messages import Message

from .store import Incoming, Store, disk_error, upload_closed

MOST_CLIP_BYTES = 1 << 40
OPEN_UPLOADS = 64  # files held open; the longest unused is closed, and its client begins again


class Clips:
    """Takes clips in. ``handlers``: by type of message."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._incoming: OrderedDict[tuple[str, str], Incoming] = OrderedDict()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self.handlers = {
            "blob.have": self._have,
            "blob.put": self._put,
            "blob.chunk": self._chunk,
            "blob.end": self._end,
        }

    def close(self) -> None:
        """Let go of the files of uploads under way."""
        while self._incoming:
            self._incoming.popitem()[1].close()

    async def _have(self, sender, owner, body, data) -> Message:
        held = self._store.clip(owner, body["sha256"]).is_file()
        return Message("blob.held" if held else "blob.missing", {"sha256": body["sha256"]})

    async def _put(self, sender, owner, body, data) -> Message:
        upload, size, wanted = body["upload"], body["size"], body["sha256"]
        async with self._alone(owner, upload):
            if wanted and self._store.clip(owner, wanted).is_file():
                await self._discard(owner, upload)
                return Message("blob.held", {"sha256": wanted})
            incoming = await self._taken_up(owner, upload, size)
        return Message("blob.go", {"upload": upload, "offset": incoming.offset})

    async def _chunk(self, sender, owner, body, data) -> Message:
        upload, offset, wanted = body["upload"], body["offset"], body["sha256"]
        incoming = self._open(owner, upload)
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
                await asyncio.to_thread(incoming.finish, wanted, clip)
        return Message("blob.held", {"sha256": wanted})

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
        try:
            incoming = await asyncio.to_thread(Incoming, self._store.upload(*key), size)
            while await asyncio.to_thread(incoming.read_on):
                pass
        except OSError as error:
            raise disk_error(error) from None
        self._incoming[key] = incoming
        if len(self._incoming) > OPEN_UPLOADS:
            await self._drop(next(iter(self._incoming)))
        return incoming

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
