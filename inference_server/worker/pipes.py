"""The worker's side of its pipes: orders come in, what happens goes out, as lines of JSON."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from collections.abc import Iterator

from . import ending


class Pipes:
    """Made once, first thing: whatever else writes to stdout then goes to the log instead."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._speaking = threading.Lock()
        self._orders: queue.Queue[str | None] = queue.Queue()
        self._questions: queue.Queue[dict] = queue.Queue()
        self.stop = threading.Event()  # the present job is to end
        threading.Thread(target=self._listen, name="recam-orders", daemon=True).start()

    def say(self, what: str, **message) -> None:
        """Tell the front; a front that is gone is told nothing."""
        try:
            with self._speaking:
                self._out.write(json.dumps({"say": what, **message}).encode() + b"\n")
                self._out.flush()
        except OSError:
            self.stop.set()

    def orders(self) -> Iterator[str]:
        """Files with orders, as they come, until the front closes the pipe."""
        while (order := self._orders.get()) is not None:
            yield order

    def questions(self) -> Iterator[dict]:
        """What the front wants to know beside the order at work, as it comes, without end."""
        while True:
            yield self._questions.get()

    def _listen(self) -> None:
        for line in sys.stdin.buffer:
            message = json.loads(line)
            if message["do"] == "cancel":
                self.stop.set()
            elif message["do"] == "estimate":
                self._questions.put(message)
            else:
                self.stop.clear()  # a cancel that came too late was for the job before
                self._orders.put(message["order"])
        self.stop.set()
        self._orders.put(None)
        ending.soon()
