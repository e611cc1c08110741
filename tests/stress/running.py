"""What every section needs: words on how far it is, an end in time, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator

import psutil

_MARK = "RECAM_STRESS"  # in the environment of every process that a section starts


class Progress:
    """Says on the terminal how far a section is, now and then, and about how long it takes."""

    def __init__(self, what: str, of: int, every: float = 5.0) -> None:
        self._what, self._of, self._every = what, of, every
        self._began = self._said = time.monotonic()
        self._over = False

    def at(self, done: int) -> None:
        """``done`` of all are done."""
        now = time.monotonic()
        if self._over or (now - self._said < self._every and done < self._of):
            return
        self._said, self._over = now, done >= self._of
        left = (now - self._began) * (self._of - done) / done if done else 0.0
        when = f", about {left:.0f} s left" if done and done < self._of else ""
        print(f"  {self._what}: {done} of {self._of}{when}", flush=True)


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Inside, at most ``seconds`` pass before TimeoutError; nothing that was begun is left behind.

    Processes are ended and temporary files removed, after a Ctrl-C too. Where the system has no
    alarm (Windows) nobody looks at the time.
    """
    with tempfile.TemporaryDirectory(prefix="recam-stress-", ignore_cleanup_errors=True) as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder
        try:
            with _processes_ended(), _in_time(seconds):
                yield
        finally:
            tempfile.tempdir = before


@contextlib.contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(number, frame):
        raise TimeoutError(f"it was not done within {seconds:.0f} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(int(seconds))
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _processes_ended() -> Iterator[None]:
    marked = os.environ.get(_MARK)
    os.environ[_MARK] = mark = uuid.uuid4().hex
    try:
        yield
    finally:
        if marked is None:
            del os.environ[_MARK]
        else:
            os.environ[_MARK] = marked
        _sweep(mark)


def _sweep(mark: str) -> None:
    """Kill every process that carries the mark; this one got it after it was started."""
    left = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get(_MARK) == mark:
                process.kill()
                left.append(process)
    psutil.wait_procs(left, timeout=10)
