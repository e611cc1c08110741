"""The journal: every job from the moment it is accepted, in SQLite with full synchronisation."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from dataclasses import fields, replace
from pathlib import Path

from shared.protocol.request import JobRequest

from . import job_events
from .emptied import emptied
from .entry import Entry
from .journal_file import open_journal, unreadable, unwritable

log = logging.getLogger(__name__)

# A job that has taken its worker down this often is not tried again.
MOST_ATTEMPTS = 2
# Nor one that was at work each time when the server itself ended so often: the machine's memory may
# be too small for it. More than MOST_ATTEMPTS: a server is also killed for other reasons, and a job
# may by chance be at work each time.
MOST_FRONT_DEATHS = 6

QUEUED = "stage = 'queued'"
AT_WORK = "stage IN ('rendering', 'cancelling')"


_COLUMNS = ", ".join(field.name for field in fields(Entry))


class Journal:
    """The jobs of one state folder. A change is on the disk when its method returns.

    Methods raise RecamError ``server_disk`` where the disk takes nothing, or cannot be read; they
    may be tried again.
    """

    def __init__(self, file: Path) -> None:
        """Open or make the journal; raises as ``open_journal`` does."""
        self._database = open_journal(file)

    def close(self) -> None:
        """Let go of the journal."""
        self._database.close()

    def accept(self, owner: str, request: JobRequest, shot: bytes) -> Entry:
        """Take a job in; a job id that this owner has used already gives that job."""
        new = self._write(
            "INSERT OR IGNORE INTO jobs (id, owner, stage, body, shot, accepted) "
            "VALUES (?, ?, 'queued', ?, ?, ?)",
            (request.job, owner, json.dumps(request.to_body()), shot, time.time()),
        )
        entry = self.find(owner, request.job)
        if new:
            job_events.accepted(entry, request.frames)
        return entry

    def find(self, owner: str, job: str) -> Entry | None:
        """This owner's job of that id."""
        return self._one("owner = ? AND id = ?", (owner, job))

    def newest(self, owner: str, most: int = 100) -> list[Entry]:
        """This owner's jobs, newest first."""
        return self._select("owner = ? ORDER BY number DESC LIMIT ?", (owner, most))

    def queued(self) -> list[Entry]:
        """All jobs that wait, whose ever they are, in the order in which they came."""
        return self._select("stage = 'queued' ORDER BY number")

    def shot(self, entry: Entry) -> bytes:
        """The job's shot, as it was sent; nothing once the job has ended."""
        return self._rows("SELECT shot FROM jobs WHERE number = ?", (entry.number,))[0][0]

    def start(self, entry: Entry, engine: str, reason: str) -> bool:
        """A worker has it: with this engine, and why that one. Whether it was waiting."""
        # Whoever dies writes nothing: each start counts as a death until it is known to be none.
        now = (
            "stage = 'rendering', attempts = attempts + 1, front_deaths = front_deaths + 1, "
            "engine = ?, engine_reason = ?"
        )
        was = self.find(entry.owner, entry.id)
        if started := self._change(entry, now, engine, reason, where=QUEUED):
            job_events.started(replace(was, engine=engine, attempts=was.attempts + 1))
        return started

    def requeue(
        self,
        entry: Entry,
        *,
        blameless: bool = False,
        front_died: bool = False,
        unkept: bool = False,
    ) -> None:
        """Put it back; ``blameless`` where the worker's end was not the job's doing,
        ``front_died`` where it was the front's, ``unkept`` where its result found no place."""
        now = (
            "stage = 'queued', engine = '', engine_reason = '', "
            f"attempts = attempts - {int(blameless)}, unkept = unkept + {int(unkept)}"
        )
        if not front_died:
            now += ", front_deaths = 0"
        if self._change(entry, now, where=AT_WORK):
            job_events.queued_again(entry, blameless)

    def finish(self, entry: Entry, result: dict) -> None:
        """Its result is on the disk."""
        self._end(entry, "finished", result=result)

    def fail(self, entry: Entry, error: dict) -> None:
        """It has failed, for this reason."""
        self._end(entry, "failed", error=error)

    def cancelling(self, entry: Entry) -> bool:
        """Its owner has called it off; the worker does not know yet. Whether it was at work."""
        if changed := self._change(entry, "stage = 'cancelling'", where="stage = 'rendering'"):
            job_events.cancelling(entry)
        return changed

    def cancel(self, entry: Entry) -> None:
        """Its owner has called it off."""
        self._end(entry, "cancelled")

    def interrupted(self) -> list[Entry]:
        """Jobs that a server was rendering when it ended."""
        return self._select(f"{AT_WORK} ORDER BY number")

    def read(self, query: str, values: tuple = ()) -> list[tuple]:
        """Rows of the table ``jobs``, as housekeeping asks for them."""
        return [tuple(row) for row in self._rows(query, values)]

    def forget(self, number: int) -> None:
        """Drop a job that ended long ago: nobody is told of it any more."""
        self._write("DELETE FROM jobs WHERE number = ?", (number,))

    def empty(self, entries: list[Entry]) -> None:
        """Overwrite what ended jobs told of their footage; see ``emptied`` for what remains."""
        change = "UPDATE jobs SET body = ?, result = ?, error = ?, shot = x'' WHERE number = ?"
        for entry in entries:
            left = [json.dumps(each) if each else None for each in emptied(entry)]
            self._write(change, (*left, entry.number))
        if entries:
            self._write("PRAGMA wal_checkpoint(TRUNCATE)", ())  # what it was stands there, too

    def _end(self, entry: Entry, stage: str, result=None, error=None) -> None:
        """A job ends once: whatever comes after is too late, and changes nothing."""
        was = self.find(entry.owner, entry.id)
        if was is None or was.over:
            if was and was.stage != stage:
                told = "job %s has ended already, as %s; it is not made %s"
                log.warning(told, entry.id, was.stage, stage)
            return
        ended = max(was.accepted, time.time())  # of a clock that may have been set back
        self._change(
            entry,
            # Nobody reads its shot any more, and it may be the most of it.
            "stage = ?, result = ?, error = ?, ended = ?, shot = x''",
            stage,
            json.dumps(result) if result else None,
            json.dumps(error) if error else None,
            ended,
            where=f"({QUEUED} OR {AT_WORK})",
        )
        job_events.ended(replace(was, stage=stage, result=result, error=error, ended=ended))

    def _change(self, entry: Entry, assignments: str, *values, where: str) -> bool:
        """Whether the job was at a stage where this could be done."""
        change = f"UPDATE jobs SET {assignments} WHERE number = ? AND {where}"
        return self._write(change, (*values, entry.number)) > 0

    def _one(self, condition: str, values: tuple = ()) -> Entry | None:
        return next(iter(self._select(condition, values)), None)

    def _select(self, condition: str, values: tuple = ()) -> list[Entry]:
        query = f"SELECT {_COLUMNS} FROM jobs WHERE {condition}"
        return [_entry(row) for row in self._rows(query, values)]

    def _rows(self, query: str, values: tuple) -> list[sqlite3.Row]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise unreadable(error) from None

    def _write(self, statement: str, values: tuple) -> int:
        """How many rows it changed."""
        try:
            return self._database.execute(statement, values).rowcount
        except sqlite3.DatabaseError as error:
            raise unwritable(error) from None


def _entry(row: sqlite3.Row) -> Entry:
    values = dict(row)
    for name in ("body", "result", "error"):
        values[name] = json.loads(values[name]) if values[name] else None
    return Entry(**values)
