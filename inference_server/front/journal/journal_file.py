"""The journal's file: made, opened by one server alone, and what is said where it cannot be."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

from shared.errors import RecamError

# Two servers that start at the same moment each keep the other out; one of them is back first.
TRIES = 4
PAUSE_SECONDS = 1.0  # between two of them, at the most

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    stage TEXT NOT NULL,
    body TEXT NOT NULL,
    shot BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    engine TEXT NOT NULL DEFAULT '',
    engine_reason TEXT NOT NULL DEFAULT '',
    result TEXT,
    error TEXT,
    accepted REAL NOT NULL,
    ended REAL,
    front_deaths INTEGER NOT NULL DEFAULT 0,
    unkept INTEGER NOT NULL DEFAULT 0,
    UNIQUE (owner, id)
);
CREATE INDEX IF NOT EXISTS waiting ON jobs (stage, number);
"""
_ADDED = ("front_deaths", "unkept")  # columns of whole numbers that older files are without


def open_journal(file: Path) -> sqlite3.Connection:
    """Open or make the journal; RecamError ``state_in_use`` if another server holds it,
    ``state_damaged`` if it is none, ``server_disk`` where the disk takes nothing."""
    for tries_left in reversed(range(TRIES)):
        try:
            return _opened(file)
        except sqlite3.DatabaseError as error:
            if not tries_left or not _is_busy(error):
                raise _unusable(file, error) from None
        time.sleep(random.uniform(0, PAUSE_SECONDS))


def _opened(file: Path) -> sqlite3.Connection:
    """Raises sqlite3.DatabaseError, ``_is_busy`` where another process has it open."""
    database = sqlite3.connect(file, isolation_level=None, timeout=0.5)
    database.row_factory = sqlite3.Row
    try:
        # Exclusive: a second server on the same folder would run every job twice.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")  # what is overwritten is not to be found
        database.executescript(_SCHEMA)
        there = {row["name"] for row in database.execute("PRAGMA table_info(jobs)")}
        for name in _ADDED:
            if name not in there:
                database.execute(f"ALTER TABLE jobs ADD COLUMN {name} INTEGER NOT NULL DEFAULT 0")
        database.execute("BEGIN IMMEDIATE")
        database.execute("COMMIT")
    except sqlite3.DatabaseError:
        database.close()
        raise
    return database


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _unusable(file: Path, error: sqlite3.DatabaseError) -> RecamError:
    if not isinstance(error, sqlite3.OperationalError):
        return RecamError(
            "state_damaged",
            f"The journal {file} is damaged ({error}).",
            "Put it back from a backup; moved away, the server starts with no jobs.",
        )
    if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return unwritable(error)
    return RecamError(
        "state_in_use",
        f"The journal {file} cannot be used ({error}).",
        "Is another server running on the same folder? Stop it, or give another --state.",
    )


def unwritable(error: sqlite3.DatabaseError) -> RecamError:
    """The error for a journal that the disk takes nothing for."""
    return RecamError(
        "server_disk",
        f"The server cannot write its journal ({error}).",
        "Make room in the server's state folder, and try again.",
    )


def unreadable(error: sqlite3.DatabaseError) -> RecamError:
    """The error for a journal that cannot be read now."""
    return RecamError(
        "server_disk",
        f"The server cannot read its journal ({error}).",
        "Ask its keeper to look after the disk of the server's state folder, and try again.",
    )
