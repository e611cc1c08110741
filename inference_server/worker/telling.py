"""The worker's log: its records go to the front, through the worker's own pipe."""

from __future__ import annotations

import faulthandler
import logging

from ..observing.logs import EXCEPTION_CHARACTERS, MESSAGE_CHARACTERS, exception_of
from .pipes import Pipes

ORDINARY = {"", "clip"}  # names that tell nothing


class Telling(logging.Handler):
    """Sends records to the front, with the job at work; the artist's own words are kept out."""

    def __init__(self, pipes: Pipes) -> None:
        super().__init__()
        self._pipes = pipes
        self._job = ""
        self._words: list[str] = []

    def at_work(self, order: dict) -> None:
        """This is the job from here on: its clip's name and its prompts stay out of the log."""
        prompts = [said for name, said in order["settings"].items() if "prompt" in name]
        words = {word for word in (order["name"], *prompts) if isinstance(word, str)} - ORDINARY
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


def start(pipes: Pipes) -> Telling:
    """Log this process, a worker, from here on."""
    telling = Telling(pipes)
    logging.basicConfig(level=logging.INFO, handlers=[telling])
    logging.captureWarnings(True)
    faulthandler.enable()  # what a crash in a library leaves, goes to stderr: the front logs it
    return telling
