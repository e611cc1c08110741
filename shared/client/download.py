"""Fetching a result: in chunks, with credit, taken up where it broke off, verified, flushed."""

from __future__ import annotations

import asyncio
import contextlib
import errno
from collections import deque
from pathlib import Path

from ..durable import replace
from ..errors import RecamError
from ..protocol.limits import CHUNK_BYTES, CREDIT
from . import parts
from .arriving import Arriving
from .connection import Connection, ConnectionLost, answer
from .room import FETCHED, Room
from .upload import TRIES, OnBytes, breaks_off

# Errors after which nobody will want what has arrived.
OVER = ("result_damaged", "result_gone", "no_result", "no_such_job")


async def download(
    job: str,
    number: int,
    take: dict,
    path: Path,
    connection: Connection,
    patience: float,
    on_bytes: OnBytes,
    room: Room,
) -> None:
    """Write a take of ``job`` to ``path``, which appears only once it is whole and on the disk.

    number: which take, from 0. take: its ``size`` and ``sha256``, as the server told them.
    What has arrived lies beside ``path`` meanwhile, and is taken up by whoever fetches that take
    to that path next, should this process be closed, killed, or lose its server. A take that lies
    there already is not fetched again.
    Raises RecamError ``result_unwritable``, ``result_damaged``, the server's own refusals, or
    ``server_silent`` where the connection breaks ``TRIES`` times in a row without a byte.
    """
    size, sha256 = take["size"], take["sha256"]
    draft = None
    try:
        if await asyncio.to_thread(parts.is_whole, path, size, sha256):
            return on_bytes(size, size)
        draft, part = await asyncio.to_thread(parts.open_part, path, sha256)
        with part:
            await asyncio.to_thread(parts.remove_old, path.parent)
            arriving = Arriving(part, size)
            await arriving.take_up()
            parts.check_room(path.parent, arriving.size - arriving.offset)
            older = arriving.offset > 0
            while True:
                await _fetch(job, number, arriving, connection, patience, on_bytes, room)
                if arriving.sha256() == sha256:
                    break
                if not older:
                    raise _damaged()
                arriving.begin_again()  # what lay there had come to harm
                older = False
            await asyncio.to_thread(arriving.flush)
        try:
            await asyncio.to_thread(replace, draft, path)
        except FileNotFoundError:  # another fetch of it took the part over, and was faster
            if not await asyncio.to_thread(parts.is_whole, path, size, sha256):
                raise
    except OSError as error:
        _remove(draft)  # a full disk is in the way of more than this
        raise _unwritable(path, error) from None
    except RecamError as error:
        if error.code in OVER:
            _remove(draft)
        raise


async def _fetch(
    job: str,
    number: int,
    arriving: Arriving,
    connection: Connection,
    patience: float,
    on_bytes: OnBytes,
    room: Room,
) -> None:
    """Fetch what is missing, over as many connections as it takes."""
    tries = 0
    on_bytes(arriving.offset, arriving.size)
    while (begun := arriving.offset) < arriving.size:
        try:
            await _fetch_on(job, number, arriving, connection, on_bytes, room)
        except ConnectionLost:
            tries = 1 if arriving.offset > begun else tries + 1
            if tries == TRIES:
                raise breaks_off(connection.address, "the result is fetched") from None
            await connection.ready(patience)
        except RecamError as error:
            await room.wait(error, FETCHED)
            await connection.ready(patience)


async def _fetch_on(
    job: str,
    number: int,
    arriving: Arriving,
    connection: Connection,
    on_bytes: OnBytes,
    room: Room,
) -> None:
    under_way: deque[asyncio.Future] = deque()
    asked = arriving.offset
    try:
        while (offset := arriving.offset) < arriving.size:
            while asked < arriving.size and len(under_way) < CREDIT:
                body = {"job": job, "take": number, "offset": asked}
                under_way.append(await connection.post_bulk("result.get", body))
                asked += CHUNK_BYTES
            chunk = await answer(under_way.popleft())
            due = min(CHUNK_BYTES, arriving.size - offset)
            if len(chunk.data) != due or chunk.body.get("offset") != offset:
                raise _damaged()
            # Not on the loop: further chunks arrive while this one is kept.
            await asyncio.to_thread(arriving.keep, chunk.data)
            room.found()
            on_bytes(arriving.offset, arriving.size)
    finally:
        for future in under_way:
            future.cancel()


def _remove(draft: Path | None) -> None:
    with contextlib.suppress(OSError):
        if draft is not None:
            draft.unlink(missing_ok=True)


def _damaged() -> RecamError:
    return RecamError(
        "result_damaged",
        "The result arrived damaged.",
        "Fetch it again; if it stays so, the server's disk may be failing.",
    )


def _unwritable(path: Path, error: OSError) -> RecamError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = "the disk is full" if full else error.strerror or error
    return RecamError(
        "result_unwritable",
        f"The result cannot be written to {path} ({why}).",
        f"{'Make room' if full else 'Choose another place'}; the server keeps the result "
        "(`recam fetch ID -o FILE`).",
    )
