"""Run an iterator in a thread of its own, a few items ahead."""

from __future__ import annotations

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item], depth: int = 3) -> Iterator[Item]:
    """``items``, made up to ``depth`` ahead of whoever reads them; their errors come through.

    However the reading ends, the thread has ended and ``items`` is closed when this is closed.
    """
    ready: Queue = Queue(depth)
    stopped = Event()

    def hand_over(entry: tuple[object, BaseException | None, bool]) -> bool:
        while not stopped.is_set():
            try:
                ready.put(entry, timeout=0.05)
                return True
            except Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not hand_over((item, None, False)):
                    break
                del item  # the queue alone holds it
            hand_over((None, None, True))
        except BaseException as error:
            hand_over((None, error, True))
        finally:
            items.close()

    thread = Thread(target=work, name="decode-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error, last = ready.get()
            if error is not None:
                raise error
            if last:
                return
            yield item
            del item
    finally:
        stopped.set()
        thread.join()
