"""Sending a file to the server: in chunks, with credit, hashed while it is sent."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..errors import RecamError
from ..protocol.limits import CHUNK_BYTES, CREDIT
from ..protocol.request import new_id
from .connection import Connection, ConnectionLost, answer
from .hashing import PrefixHashes

HASH_SECONDS = 0.1  # for the hash alone: what most clips take, and nothing to a long upload
TRIES = 3  # connections that may break, one after the other, without a byte arriving

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all


async def upload(connection: Connection, path: Path, patience: float, on_bytes: OnBytes) -> str:
    """The SHA-256 of ``path``, once the server holds it whole.

    A file that the server already holds for this key is not sent again; a broken connection is
    taken up where it stopped, if it comes back within ``patience`` seconds.
    Raises RecamError ``clip_missing`` where the file cannot be read, ``clip_changed`` where it
    was written to meanwhile, ``server_silent`` where the connection breaks ``TRIES`` times in a
    row without a byte arriving, and the server's own refusals.
    """
    upload_id, arrived, tries = new_id(), 0, 0

    def on_arrived(done: int, size: int) -> None:
        nonlocal arrived, tries
        if done > arrived:
            arrived, tries = done, 0
        on_bytes(done, size)

    hashes = PrefixHashes(path)
    try:
        await hashes.ahead(HASH_SECONDS)
        while True:
            try:
                return await _send(connection, path, upload_id, hashes, on_arrived)
            except ConnectionLost:
                tries += 1
                if tries == TRIES:
                    raise breaks_off(connection.address, f"{path.name} is sent") from None
                await connection.ready(patience)
            except OSError as error:
                raise missing(path, error) from None
    finally:
        await hashes.close()


async def _send(
    connection: Connection, path: Path, upload_id: str, hashes: PrefixHashes, on_bytes: OnBytes
) -> str:
    size = path.stat().st_size
    known = hashes.whole
    start = {"upload": upload_id, "size": size, "sha256": known}
    reply = await connection.request("blob.put", start)
    if reply.type == "blob.held":
        return reply.body["sha256"]
    offset = reply.body["offset"]
    under_way: deque[asyncio.Future] = deque()
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while chunk := file.read(CHUNK_BYTES - offset % CHUNK_BYTES):
                # The hash runs ahead of the wire: a clip that is held need not be sent to its end.
                if known is None and (known := hashes.whole):
                    start["sha256"] = known
                    if await _held(connection, start):
                        return known
                digest = await hashes.until(offset + len(chunk))
                if digest is None:
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
    if offset != size or digest != await hashes.until(size):
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


def missing(path: Path, error: OSError) -> RecamError:
    """The error for a file that cannot be read."""
    return RecamError(
        "clip_missing",
        f"The file {path} cannot be read ({error.strerror or error}).",
        "Put it back, or choose another clip.",
    )
