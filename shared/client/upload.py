"""Sending a file to the server: in chunks, with credit, hashed while it is sent."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..errors import RecamError
from ..protocol.limits import CHUNK_BYTES, CREDIT
from ..protocol.request import new_id
from .connection import REPLY_SECONDS, Connection, ConnectionLost, answer
from .hashing import PrefixHashes
from .room import Room

HASH_SECONDS = 0.1  # for the hash alone: what most clips take, and nothing to a long upload
READ_RATE = 50e6  # bytes a second that a slow disk gives
TRIES = 3  # connections that may break, one after the other, without a byte arriving

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all


async def upload(
    connection: Connection,
    path: Path,
    patience: float,
    on_bytes: OnBytes,
    room: Room | None = None,
    sent: dict[str, str | None] | None = None,
) -> str:
    """The SHA-256 of ``path``, once the server holds it whole.

    A file that the server already holds for this key is not sent again; one that broke off, of
    this process or of one that died, is taken up where it stopped. A broken connection is waited
    for ``patience`` seconds, and a server that has no ``room`` as long as it takes.
    sent: noted there is, in the end, under which id it was sent, and its SHA-256 if known.
    Raises RecamError ``clip_missing`` where the file cannot be read, ``clip_unreadable`` where
    it is empty, ``clip_changed`` where it was written to meanwhile, ``server_silent`` where the
    connection breaks ``TRIES`` times in a row without a byte arriving, ``upload_chunk`` where the
    server lets go of the file as often, and its own refusals.
    """
    room = room or Room()
    arrived = tries = 0

    def on_arrived(done: int, size: int) -> None:
        nonlocal arrived, tries
        if done > arrived:
            arrived, tries = done, 0
            room.found()
        on_bytes(done, size)

    try:
        about = path.stat()
    except OSError as error:
        raise missing(path, error) from None
    if not about.st_size:
        raise RecamError("clip_unreadable", f"{path.name} is empty.", "Save or copy it again.")
    upload_id, fresh = _known_id(path, about), False
    hashes = PrefixHashes(path)
    known_id = upload_id
    connection.sending[known_id] += 1
    try:
        await hashes.ahead(HASH_SECONDS)
        while True:
            try:
                return await _send(connection, path, about.st_size, upload_id, hashes, on_arrived)
            except OSError as error:
                raise missing(path, error) from None
            except ConnectionLost:
                tries, failing = tries + 1, breaks_off(connection.address, f"{path.name} is sent")
            except RecamError as error:
                if error.code == "upload_chunk":  # the server let go of it: blob.put opens it again
                    tries, failing = tries + 1, _let_go(path)
                elif error.code == "upload_damaged" and not fresh:
                    if _stamp(path.stat()) != _stamp(about):
                        raise changed(path) from None
                    # What lies there is of another file, or came to harm. Not the same id again:
                    # should another client be at that other file, neither disturbs the other.
                    upload_id, fresh, arrived = new_id(), True, 0
                else:
                    await room.wait(error)
            if tries == TRIES:
                raise failing from None
            await connection.ready(patience)
    finally:
        connection.sending[known_id] -= 1
        if sent is not None:
            sent[upload_id] = hashes.whole
        await hashes.close()


def _known_id(path: Path, about: os.stat_result) -> str:
    """The same id for the same file whenever it is sent, so that what has arrived of it is found.

    Whether that is of the same content, the hashes of its chunks tell.
    """
    told = f"{_stamp(about)}".encode() + os.fsencode(path.resolve())
    return hashlib.sha256(told).hexdigest()[:32]


def _stamp(about: os.stat_result) -> tuple[int, int]:
    return about.st_size, about.st_mtime_ns


async def _send(
    connection: Connection,
    path: Path,
    size: int,
    upload_id: str,
    hashes: PrefixHashes,
    on_bytes: OnBytes,
) -> str:
    known = hashes.whole
    start = {"upload": upload_id, "size": size, "sha256": known}
    # The server reads what it has of the file, to go on with its hash.
    reply = await connection.request("blob.put", start, seconds=REPLY_SECONDS + size / READ_RATE)
    if known and reply.type == "blob.held":
        return known
    offset = reply.body["offset"]
    if offset:
        on_bytes(offset, size)
    under_way: deque[asyncio.Future] = deque()
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while offset < size:
                chunk = file.read(min(CHUNK_BYTES - offset % CHUNK_BYTES, size - offset))
                # The hash runs ahead of the wire: a clip that is held need not be sent to its end.
                if known is None and (known := hashes.whole):
                    start["sha256"] = known
                    if await _held(connection, start):
                        return known
                digest = await hashes.until(offset + len(chunk))
                if digest is None or not chunk:
                    raise changed(path)
                head = {"upload": upload_id, "offset": offset, "sha256": digest}
                under_way.append(await connection.post_bulk("blob.chunk", head, chunk))
                offset += len(chunk)
                if len(under_way) >= CREDIT:
                    on_bytes((await answer(under_way.popleft())).body["offset"], size)
        while under_way:
            on_bytes((await answer(under_way.popleft())).body["offset"], size)
    finally:
        for future in under_way:
            future.cancel()
    digest = await hashes.end()
    if path.stat().st_size != size or digest != await hashes.until(size):
        raise changed(path)
    await connection.request("blob.end", {"upload": upload_id, "sha256": digest})
    return digest


def changed(path: Path) -> RecamError:
    """The error for a file that did not hold still while it was sent."""
    return RecamError(
        "clip_changed",
        f"{path.name} changed while it was being sent.",
        "Send it again once it is written to its end.",
    )


async def _held(connection: Connection, start: dict) -> bool:
    asked = {"sha256": start["sha256"]}
    if (await connection.request("blob.have", asked)).type != "blob.held":
        return False
    await connection.request("blob.put", start)  # the server throws away what has come of it
    return True


def breaks_off(address: str, what: str) -> RecamError:
    """The error for a connection that comes back and brings nothing through."""
    return RecamError(
        "server_silent",
        f"The connection to {address} breaks off again and again while {what}.",
        "Check the network, then try again.",
    )


def _let_go(path: Path) -> RecamError:
    return RecamError(
        "upload_chunk",
        f"The server lets go of {path.name} again and again while it is sent.",
        "Send it again later, with fewer clips at once; what has arrived need not be sent again.",
    )


def missing(path: Path, error: OSError) -> RecamError:
    """The error for a file that cannot be read."""
    return RecamError(
        "clip_missing",
        f"The file {path} cannot be read ({error.strerror or error}).",
        "Put it back, or choose another clip.",
    )
