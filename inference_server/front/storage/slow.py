"""Threads for what keeps the disk for seconds, so that chunks of clips do not wait behind it."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

log = logging.getLogger(__name__)

_THREADS = ThreadPoolExecutor(2, thread_name_prefix="recam-slow")


async def slowly(work, *arguments):
    """``work(*arguments)`` in one of those threads: flushing, looking through folders, removing."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *arguments)


def later(work, *arguments) -> None:
    """The same, and nobody waits for it."""

    def run() -> None:
        try:
            work(*arguments)
        except Exception:
            log.exception("what was to be done beside went wrong")

    _THREADS.submit(run)
