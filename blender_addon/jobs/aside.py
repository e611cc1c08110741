"""What may block, beside Blender's window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from threading import Thread


def aside(work: Callable) -> Iterator[float]:
    """Do it in a thread of its own, and bring what it returns."""
    done: Future = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    Thread(target=run, name="recam-aside", daemon=True).start()
    while not done.done():
        yield 0.05
    return done.result()
