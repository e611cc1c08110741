"""The worker's log: its records go to the front, through the worker's own pipe."""

from __future__ import annotations

import faulthandler
import io
import logging
import re
import sys
import threading

from ..observing.logs import EXCEPTION_CHARACTERS, MESSAGE_CHARACTERS, exception_of
from .pipes import Pipes

ORDINARY = {"", "clip"}  # names that tell nothing
LEAST_PIECE = 12  # characters of a part of a prompt that is looked for


class Telling(logging.Handler):
    """Sends records to the front, with the job at work; the artist's own words are kept out."""

    def __init__(self, pipes: Pipes) -> None:
        super().__init__()
        self._pipes = pipes
        self._job = ""
        self._words: list[str] = []

    def at_work(self, order: dict) -> None:
        """This is the job from here on: its clip's name and its prompts stay out of the log."""
        words = {order["name"]} - ORDINARY
        for name, said in order["settings"].items():
            if "prompt" in name and isinstance(said, str) and said:
                pieces = map(str.strip, re.split(r"[,.;:!?\n]", said))
                words |= {said, *(each for each in pieces if len(each) >= LEAST_PIECE)}
        self._job, self._words = order["job"], sorted(words, key=len, reverse=True)

    def idle(self) -> None:
        """The job is over; of its words some may still come up."""
        self._job = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        self._pipes.say(
            "log",
            logger=record.name,
            level=record.levelno,
            message=self._without_words(record.getMessage())[:MESSAGE_CHARACTERS],
            exception=self._without_words(exception_of(record))[-EXCEPTION_CHARACTERS:],
            job=self._job,
        )

    def _without_words(self, text: str) -> str:
        for word in self._words:
            text = text.replace(word, "…")
        return text


class Printed(io.TextIOBase):
    """Takes the place of stdout and stderr: each line that is printed is a record.

    So it has its job, and is rid of the artist's words, also where a library's own log is printed.
    What is not Python goes to the descriptor, which the front reads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._log = logging.getLogger("printed")
        self._rest = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Log the lines that it ends."""
        with self._lock:
            *lines, self._rest = (self._rest + text.replace("\r", "\n")).split("\n")
            if len(self._rest) > MESSAGE_CHARACTERS:
                lines, self._rest = [*lines, self._rest], ""
            for line in filter(str.strip, lines):
                self._log.info("%s", line)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """Where what is not Python prints."""
        return sys.__stderr__.fileno()


def start(pipes: Pipes) -> Telling:
    """Log this process, a worker, from here on."""
    telling = Telling(pipes)
    logging.basicConfig(level=logging.INFO, handlers=[telling])
    logging.raiseExceptions = False  # it would be printed, and so logged
    logging.captureWarnings(True)
    faulthandler.enable()  # what a crash in a library leaves, goes to stderr: the front logs it
    sys.stdout = sys.stderr = Printed()
    return telling
