"""Threads for what keeps the disk for seconds, so that chunks of clips do not wait behind it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

_THREADS = ThreadPoolExecutor(2, thread_name_prefix="recam-slow")


_SHOTS = ThreadPoolExecutor(1, thread_name_prefix="recam-shot")


async def slowly(work, *arguments):
    """``work(*arguments)`` in one of those threads: flushing, looking through folders, removing."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *arguments)


async def one_by_one(work, *arguments):
    """``work(*arguments)`` in the thread for long shots, which clips do not wait behind either."""
    return await asyncio.get_running_loop().run_in_executor(_SHOTS, work, *arguments)
