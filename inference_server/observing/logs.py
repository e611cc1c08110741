"""The server's log: one JSON object a line in its state folder, and lines for people on stderr.

Every record has ``time`` (UTC), ``level``, ``process`` (front, or which worker), ``logger``,
``message``, ``exception`` where there is one, and what ``event`` was given, such as ``job``.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import threading
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from shared.protocol.kinds import printable

from .allowance import Allowance
from .terminal import Terminal

FILE_BYTES = 8 * 1024 * 1024
OLDER_FILES = 4  # beside the one that is written: recam.log.1 is the newest of them
MESSAGE_CHARACTERS = 4_000
EXCEPTION_CHARACTERS = 20_000
NAMED_JOB = re.compile(r"\bjob ([0-9a-f]{32})\b")  # in a record that was not made by ``event``
ALIKE_A_MINUTE = 100  # records that say the same, but for those of jobs' stages


def event(log: logging.Logger, what: str, level: int = logging.INFO, **fields) -> None:
    """Log what has happened, in words that are always the same, with the figures beside them.

    fields: plain values; ``job`` where it is about one. No names of clips, no keys.
    """
    log.log(level, what, extra={"fields": fields})


def start(*, quiet: bool = False) -> ServerLog:
    """Log this process, the front, to stderr from here on; ``quiet``: until there is a file."""
    log = ServerLog(quiet)
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    root.addHandler(log)
    logging.captureWarnings(True)
    threading.excepthook = _thread_failed
    return log


def folder(state: Path) -> Path:
    """Where a state folder's logs lie."""
    return state / "log"


def files(state: Path) -> list[Path]:
    """The log's files that there are, oldest first."""
    newest = folder(state) / "recam.log"
    older = [newest.with_name(f"recam.log.{number}") for number in range(OLDER_FILES, 0, -1)]
    return [file for file in [*older, newest] if file.is_file()]


class ServerLog(logging.Handler):
    """Gives each record to the terminal and, once there is one, to the file."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self._terminal, self._quiet = Terminal(), quiet
        self._terminal.setFormatter(Lines())
        self._handlers: list[logging.Handler] = [self._terminal]
        self._allowances: dict[tuple, Allowance] = {}

    def to_file(self, state: Path) -> None:
        """Log into that state folder from here on, too. No other server may have it."""
        with contextlib.suppress(OSError):  # said when it is written to
            folder(state).mkdir(mode=0o700, exist_ok=True)
        file = LogFile(folder(state) / "recam.log")
        self._handlers = [file] if self._quiet else [self._terminal, file]

    def file_alone(self) -> None:
        """Nothing more to stderr, where the command says it."""
        self._handlers = [each for each in self._handlers if each is not self._terminal]

    def emit(self, record: logging.LogRecord) -> None:
        """Called under this handler's lock."""
        if self._is_too_much(record):
            return
        for handler in self._handlers:
            handler.handle(record)

    def close(self) -> None:
        """Write what is still to be written, and log no more."""
        logging.getLogger().removeHandler(self)
        for handler in {self._terminal, *self._handlers}:
            handler.close()
        super().close()

    def _is_too_much(self, record: logging.LogRecord) -> bool:
        fields = getattr(record, "fields", {})
        if "job" in fields and process_of(record) == "front":
            return False  # each is told once
        if len(self._allowances) > 1000:
            self._allowances.clear()
        alike = process_of(record), record.name, record.msg
        before = self._allowances.setdefault(alike, Allowance(ALIKE_A_MINUTE)).take()
        if before:
            record.fields = fields | {"left_out_before": before}
        return before is None


class LogFile(RotatingFileHandler):
    """JSON, a line a record, in files of bounded size. A disk that takes nothing is borne."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            file, maxBytes=FILE_BYTES, backupCount=OLDER_FILES, encoding="utf-8", delay=True
        )
        self.setFormatter(Json())
        self.rotator = _rename
        self._failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write it down; told on stderr, once, if that begins to fail."""
        failed, self._failed = self._failed, False
        super().emit(record)
        if self._failed and not failed:
            with contextlib.suppress(OSError):
                print("recam: the log cannot be written; is the disk full?", file=sys.stderr)

    def handleError(self, record: logging.LogRecord) -> None:
        """The record is lost; the next one opens the file anew."""
        self._failed = True
        stream, self.stream = self.stream, None
        with contextlib.suppress(OSError, ValueError):
            stream and stream.close()

    def _open(self):
        stream = super()._open()
        if stream.tell() and not _ends_in_newline(self.baseFilename):
            stream.write("\n")  # after a full disk, or a kill
        return stream


class Json(logging.Formatter):
    """A record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return printable(json.dumps(as_dict(record), ensure_ascii=False, default=str))


class Lines(logging.Formatter):
    """A record as a person reads it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and those of a traceback."""
        told = as_dict(record)
        head = [told.pop(name) for name in ("time", "process", "level", "message")]
        exception = told.pop("exception", None)
        del told["logger"]
        said = ", ".join(f"{name} {value}" for name, value in told.items())
        line = (" ".join(head) + (f" ({said})" if said else "")).replace("\n", " ")
        # What libraries quote from files neither steers a terminal nor looks like another record.
        return printable(f"{line}\n{exception}" if exception else line)


def as_dict(record: logging.LogRecord) -> dict:
    """A record as plain values."""
    told = {
        "time": _utc(record),
        "level": record.levelname,
        "process": process_of(record),
        "logger": record.name,
        "message": record.getMessage()[:MESSAGE_CHARACTERS],
        **getattr(record, "fields", {}),
    }
    if "job" not in told and (named := NAMED_JOB.search(told["message"])):
        told["job"] = named[1]
    if exception := exception_of(record):
        told["exception"] = exception
    return told


def exception_of(record: logging.LogRecord) -> str:
    """The record's traceback, its end if it is long; empty without one."""
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    return (record.exc_text or "")[-EXCEPTION_CHARACTERS:]


def process_of(record: logging.LogRecord) -> str:
    """``front``, or the worker that it comes from."""
    return getattr(record, "worker", "front")


def _thread_failed(what: threading.ExceptHookArgs) -> None:
    fault = what.exc_type, what.exc_value, what.exc_traceback
    logging.getLogger(__name__).error("a thread has failed", exc_info=fault)


def _utc(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rename(source: str, target: str) -> None:
    with contextlib.suppress(OSError):  # in Windows, while someone reads it: later, then
        os.replace(source, target)


def _ends_in_newline(file: str) -> bool:
    with open(file, "rb") as written:
        written.seek(-1, os.SEEK_END)
        return written.read(1) == b"\n"
