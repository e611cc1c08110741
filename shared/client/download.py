"""Fetching a result: in chunks, with credit, verified, whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from pathlib import Path
from typing import BinaryIO

from ..errors import RecamError
from ..protocol.limits import CHUNK_BYTES, CREDIT
from .connection import Connection, ConnectionLost, answer
from .upload import TRIES, OnBytes, breaks_off


async def download(
    connection: Connection,
    job: str,
    number: int,
    take: dict,
    path: Path,
    patience: float,
    on_bytes: OnBytes,
) -> None:
    """Write a take of ``job`` to ``path``, which appears only once it is whole and verified.

    number: which take, from 0. take: its ``size`` and ``sha256``, as the server told them.
    Raises RecamError ``result_unwritable``, ``result_damaged``, or ``server_silent`` where the
    connection breaks ``TRIES`` times in a row without a byte.
    """
    draft = path.with_name(f".{path.name}.{job[:8]}.part")
    size, digest, offset, tries = take["size"], hashlib.sha256(), 0, 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            while offset < size:
                under_way: deque[asyncio.Future] = deque()
                begun = asked = offset
                try:
                    while offset < size:
                        while asked < size and len(under_way) < CREDIT:
                            body = {"job": job, "take": number, "offset": asked}
                            under_way.append(await connection.post_bulk("result.get", body))
                            asked += CHUNK_BYTES
                        chunk = await answer(under_way.popleft())
                        if not len(chunk.data) or chunk.body.get("offset") != offset:
                            raise _damaged()
                        # Not on the loop: further chunks arrive while this one is kept. Its own
                        # hash is not looked at, since that of the whole says all.
                        await asyncio.to_thread(_keep, chunk.data, file, digest)
                        offset += len(chunk.data)
                        on_bytes(offset, size)
                except ConnectionLost:
                    tries = 1 if offset > begun else tries + 1
                    if tries == TRIES:
                        raise breaks_off(connection.address, "the result is fetched") from None
                    await connection.ready(patience)
                finally:
                    for future in under_way:
                        future.cancel()
            # Not forced to the disk, which would cost as long as the wire: the server keeps it.
        if digest.hexdigest() != take["sha256"]:
            raise _damaged()
        draft.replace(path)
    except OSError as error:
        raise RecamError(
            "result_unwritable",
            f"The result cannot be written to {path} ({error.strerror or error}).",
            "Choose another place; the server keeps the result (`recam fetch`).",
        ) from None
    finally:
        with contextlib.suppress(OSError):  # where no draft could be made there is none to remove
            draft.unlink()


def _keep(data: bytes | memoryview, file: BinaryIO, digest) -> None:
    digest.update(data)
    file.write(data)


def _damaged() -> RecamError:
    return RecamError(
        "result_damaged",
        "The result arrived damaged.",
        "Fetch it again; if it stays so, the server's disk may be failing.",
    )
