"""A job is called off while its files are sent: the server need not keep what has come of them."""

from __future__ import annotations

import asyncio
import logging

from ..errors import RecamError
from .connection import Connection, ConnectionLost, answer
from .room import Room

log = logging.getLogger(__name__)

SECONDS = 8.0  # for the server's word, behind what is on its way; else they lie there for a day


async def drop(connection: Connection, sent: dict[str, str | None], whole: bool) -> None:
    """Tell the server that these files are not wanted, but for those that another job sends.

    sent: SHA-256 of each, if known, by the id of its upload, in the order of their sending: the
    last one first, of which most may be missing. whole: whether one that has arrived whole is not
    to be held for another time.
    """
    told = [
        _tell(connection, {"upload": upload, "sha256": sha256 if whole else None})
        for upload, sha256 in reversed(sent.items())
        if not connection.sending[upload]
    ]
    try:
        async with asyncio.timeout(SECONDS):
            errors = [each for each in await asyncio.gather(*told, return_exceptions=True) if each]
    except TimeoutError:
        errors = [connection.trouble() or "no answer in time"]
    if errors:
        log.warning("what was sent of a job that is called off may stay there: %s", errors[0])


async def _tell(connection: Connection, body: dict) -> None:
    """Tell it of one, as often as it takes, and within the connection's credit."""
    room = Room()
    while True:
        try:
            await answer(await connection.post_bulk("blob.drop", body))
            return
        except ConnectionLost:
            await connection.ready(SECONDS)
        except RecamError as error:
            await room.wait(error)
