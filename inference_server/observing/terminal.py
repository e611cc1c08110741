"""The log on the terminal, or wherever stderr goes."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
import threading

MOST_WAITING = 1000  # lines; those beyond are lost here, not in the file
CLOSE_SECONDS = 1.0


class Terminal(logging.Handler):
    """Writes to stderr in a thread of its own.

    A terminal that is held (Ctrl-S), or a pipe that nobody reads, holds up nothing else.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: queue.Queue[str | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._write, name="recam-terminal", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Let it be written."""
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(self.format(record))

    def close(self) -> None:
        """Wait a little for what is still to be written."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=CLOSE_SECONDS)
            self._thread.join(CLOSE_SECONDS)
        super().close()

    def _write(self) -> None:
        encoding = sys.stderr.encoding or "utf-8"
        for line in iter(self._lines.get, None):
            # Not by way of sys.stderr, whose lock an interpreter that ends would wait for.
            data = f"{line}\n".encode(encoding, "backslashreplace")
            with contextlib.suppress(OSError):
                while data:
                    data = data[os.write(2, data) :]
