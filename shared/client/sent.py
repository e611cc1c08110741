"""A job is called off while its files are sent: the server need not keep what has come of them."""

from __future__ import annotations

import asyncio
import contextlib

from .connection import Connection

SECONDS = 8.0  # for the server's word, behind what is on its way; else they lie there for a day


async def drop(connection: Connection, sent: dict[str, str | None], whole: bool) -> None:
    """Tell the server that these files are not wanted, but for those that another job sends.

    sent: SHA-256 of each, if known, by the id of its upload. whole: whether one that has arrived
    whole is not to be held for another time.
    """
    told = [
        connection.post("blob.drop", {"upload": upload, "sha256": sha256 if whole else None})
        for upload, sha256 in sent.items()
        if not connection.sending[upload]
    ]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*told, return_exceptions=True), SECONDS)
