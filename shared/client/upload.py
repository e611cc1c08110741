"""Sending a file to the server: in chunks, with credit, hashed while it is sent."""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

from ..errors import RecamError
from ..protocol.limits import CHUNK_BYTES, CREDIT
from ..protocol.request import new_id
from .connection import Connection, ConnectionLost, answer

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all


async def upload(connection: Connection, path: Path, patience: float, on_bytes: OnBytes) -> str:
    """The SHA-256 of ``path``, once the server holds it whole.

    A file that the server already holds for this key is not sent again; a broken connection is
    taken up where it stopped, if it comes back within ``patience`` seconds.
    Raises RecamError ``clip_missing`` where the file cannot be read, ``clip_changed`` where it
    was written to meanwhile, and the server's own refusals.
    """
    upload_id = new_id()
    hashing = asyncio.ensure_future(asyncio.to_thread(_sha256, path))
    try:
        while True:
            try:
                return await _send(connection, path, upload_id, hashing, on_bytes)
            except ConnectionLost:
                await connection.ready(patience)
            except OSError as error:
                raise missing(path, error) from None
    finally:
        hashing.cancel()
        await asyncio.gather(hashing, return_exceptions=True)


async def _send(
    connection: Connection, path: Path, upload_id: str, hashing: asyncio.Future, on_bytes: OnBytes
) -> str:
    size = path.stat().st_size
    known = hashing.done()
    start = {"upload": upload_id, "size": size, "sha256": hashing.result() if known else None}
    reply = await connection.request("blob.put", start)
    if reply.type == "blob.held":
        return reply.body["sha256"]
    offset = reply.body["offset"]
    under_way: deque[asyncio.Future] = deque()
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(CHUNK_BYTES):
            if hashing.done() and not known:
                # The hash runs ahead of the wire: a clip that is held need not be sent to its end.
                known = True
                asked = {"sha256": hashing.result()}
                if (await connection.request("blob.have", asked)).type == "blob.held":
                    return asked["sha256"]
            head = {
                "upload": upload_id,
                "offset": offset,
                "sha256": hashlib.sha256(chunk).hexdigest(),
            }
            under_way.append(connection.post("blob.chunk", head, chunk))
            offset += len(chunk)
            if len(under_way) >= CREDIT:
                on_bytes((await answer(under_way.popleft())).body["offset"], size)
    while under_way:
        on_bytes((await answer(under_way.popleft())).body["offset"], size)
    if offset != size:
        raise RecamError(
            "clip_changed",
            f"{path.name} changed its length while it was being sent.",
            "Send it again once it is written to its end.",
        )
    digest = await hashing
    await connection.request("blob.end", {"upload": upload_id, "sha256": digest})
    return digest


def missing(path: Path, error: OSError) -> RecamError:
    """The error for a file that cannot be read."""
    return RecamError(
        "clip_missing",
        f"The file {path} cannot be read ({error.strerror or error}).",
        "Put it back, or choose another clip.",
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
