"""Questions of what a job would take, put to the worker, and what lies before it in the queue."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from shared.errors import RecamError
from shared.protocol.messages import error_from

from ..refusals import client_limit

MOST_OPEN = 32  # questions that the worker has at once …
MOST_OWN = 4  # … and of one client: nobody asks so much that others cannot
SECONDS = 150.0  # for an answer: PyTorch may have to start twice


class Estimates:
    """The questions that one worker has."""

    def __init__(self) -> None:
        self._open: dict[int, asyncio.Future] = {}
        self._askers: Counter[str] = Counter()
        self._last = 0

    async def ask(
        self, send: Callable[[dict], None], owner: str, engine: str, question: dict
    ) -> dict:
        """The worker's answer. send: how the worker is told. owner: whose question it is.

        RecamError as the engine has it, ``client_limit``, ``server_busy``, and ``worker_gone`` if
        the worker ends.
        """
        if self._askers[owner] >= MOST_OWN:
            raise client_limit(
                f"{MOST_OWN} estimates of yours are being made; that is the most at once.",
                "Ask again once you have those.",
            )
        if len(self._open) >= MOST_OPEN:
            raise RecamError(
                "server_busy", "The server is asked for too many estimates.", "Ask again later."
            )
        self._last += 1
        number, answer = self._last, asyncio.get_running_loop().create_future()
        self._open[number] = answer
        self._askers[owner] += 1
        send({"do": "estimate", "number": number, "engine": engine, "question": question})
        try:
            return await asyncio.wait_for(answer, SECONDS)
        except TimeoutError:
            raise worker_gone() from None
        finally:
            del self._open[number]
            self._askers -= Counter([owner])

    def answered(self, message: dict) -> None:
        """The worker has answered one."""
        future = self._open.get(message["number"])
        if future is None or future.done():
            return
        if "error" in message:
            future.set_exception(error_from(message["error"]))
        else:
            future.set_result(message["estimate"])

    def lost(self) -> None:
        """The worker has ended."""
        for future in self._open.values():
            if not future.done():
                future.set_exception(worker_gone())


def worker_gone() -> RecamError:
    """The error where there is no worker to ask."""
    return RecamError(
        "worker_gone",
        "The server's worker cannot tell now what this job needs.",
        "Ask again; the job itself can be sent.",
    )
