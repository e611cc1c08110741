"""What a worker has to say, in the front's log: its own records, and what libraries print."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import BinaryIO

from .allowance import Allowance

LINES_A_MINUTE = 200  # of what is printed; what is beyond is counted
LINE_BYTES = 1_000
PAUSE_SECONDS = 0.01  # between two reads of a worker that prints without end

printed = logging.getLogger("printed")


def relay(message: dict, worker: str) -> None:
    """Log a record that came by the worker's pipe; worker: which one it is."""
    record = logging.makeLogRecord(
        {
            "name": str(message["logger"]),
            "levelno": int(message["level"]),
            "levelname": logging.getLevelName(int(message["level"])),
            "msg": "%s",
            "args": (str(message["message"]),),
            "exc_text": message["exception"],
            "worker": worker,
            "fields": {"job": message["job"]} if message["job"] else {},
        }
    )
    logging.getLogger().handle(record)


def follow_printed(pipe: BinaryIO, worker: str, job: Callable[[], str]) -> None:
    """Log what comes through the worker's stderr, in a thread, until it ends.

    job: tells the id of the job that is at work, or nothing. The pipe is always read on, so that
    nobody waits who prints into it; memory stays bounded, and so does the log.
    """
    arguments = pipe, worker, job
    threading.Thread(target=_read, args=arguments, name="recam-printed", daemon=True).start()


def _read(pipe: BinaryIO, worker: str, job: Callable[[], str]) -> None:
    allowance, rest = Allowance(LINES_A_MINUTE), b""
    with pipe:
        while piece := pipe.read1(1 << 16):
            *lines, rest = (rest + piece.replace(b"\r", b"\n")).split(b"\n")
            if len(rest) > LINE_BYTES:
                lines, rest = [*lines, rest], b""
            for line in filter(None, map(bytes.rstrip, lines)):
                if (before := allowance.take()) is not None:
                    _log(line, worker, job(), before)
            if allowance.spent:
                time.sleep(PAUSE_SECONDS)  # the worker waits a little, and the front does not
    if rest and (before := allowance.take()) is not None:
        _log(rest, worker, job(), before)


def _log(line: bytes, worker: str, job: str, left_out: int) -> None:
    fields = {"job": job} if job else {}
    fields |= {"left_out_before": left_out} if left_out else {}
    said = line[:LINE_BYTES].decode(errors="replace")
    printed.info("%s", said, extra={"worker": worker, "fields": fields})
