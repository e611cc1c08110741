"""The small pictures of a job at work: the newest one, asked for one at a time."""

from __future__ import annotations

import asyncio

import numpy as np

from ..protocol.messages import Message
from .connection import Connection


class Pictures:
    """Those of one job.

    newest: ``(h, w, 3)`` uint8 RGB, its first row the uppermost; None if there is none (yet).
    number: of the newest that the server has, from 1; 0 if it has none.
    """

    def __init__(self, job: str, connection: Connection) -> None:
        self.newest: np.ndarray | None = None
        self._job = job
        self._connection = connection
        self.number = self._asked = 0
        self._looking: asyncio.Future | None = None
        self._closed = False

    def look(self, number: int) -> None:
        """Ask for that one if it is new: one at a time, so that none wait on a slow line."""
        self.number = number
        if number not in (0, self._asked) and self._looking is None:
            self._asked = number
            self._looking = self._connection.post("job.picture", {"job": self._job})
            self._looking.add_done_callback(self._looked)

    def close(self) -> None:
        """Let go of it, and ask for none any more."""
        self._closed, self.newest = True, None

    def _looked(self, future: asyncio.Future) -> None:
        self._looking = None
        if seen(future) and not self._closed:
            self.newest = picture_in(future.result())
            self.look(self.number)


def seen(future: asyncio.Future) -> bool:
    """Whether the future brought an answer; its exception, if any, counts as looked at."""
    return not future.cancelled() and future.exception() is None


def picture_in(message: Message) -> np.ndarray | None:
    """A message's picture, or None where it holds none."""
    width, height = message.body["width"], message.body["height"]
    if not width * height or len(message.data) != 3 * width * height:
        return None
    return np.frombuffer(message.data, np.uint8).reshape(height, width, 3)
