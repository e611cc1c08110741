"""What the journal's jobs still need, and which of them are history; for housekeeping."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Set
from dataclasses import dataclass

from ..journal.journal import Journal
from .store import owner_name

_WAITS = "stage IN ('queued', 'rendering', 'cancelling')"
_FLAG = '"delete_on_delivery": true'  # as the journal's bodies have it
AT_ONCE = 1000  # jobs that are looked at in one run: the event loop waits for it
NAMED_AT_ONCE = 50  # … whose clips are looked at, up to a thousand of each
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b")


@dataclass(frozen=True)
class Ended:
    """A job that is over. ended: seconds since 1970."""

    number: int
    id: str
    owner: str
    stage: str
    ended: float


def count_waiting(journal: Journal, owner: str) -> tuple[int, int]:
    """How many jobs wait or are worked on: this owner's, and all."""
    query = f"SELECT COALESCE(SUM(owner = ?), 0), COUNT(*) FROM jobs WHERE {_WAITS}"
    (counts,) = journal.read(query, (owner,))
    return counts


def shot_bytes(journal: Journal, owner: str) -> int:
    """Of this owner's jobs that wait or are worked on."""
    query = f"SELECT COALESCE(SUM(LENGTH(shot)), 0) FROM jobs WHERE {_WAITS} AND owner = ?"
    return journal.read(query, (owner,))[0][0]


def without_result(journal: Journal, owner: str, spared: int) -> list[int]:
    """Numbers of this owner's jobs that failed or were cancelled, but for the ``spared`` newest."""
    query = (
        "SELECT number FROM jobs WHERE owner = ? AND stage IN ('failed', 'cancelled') "
        f"ORDER BY number DESC LIMIT {AT_ONCE} OFFSET ?"
    )
    return [number for (number,) in journal.read(query, (owner, spared))]


def owners(journal: Journal) -> list[str]:
    """Public keys of all who have jobs."""
    return [owner for (owner,) in journal.read("SELECT DISTINCT owner FROM jobs")]


def needed(journal: Journal, owner: str) -> set[str]:
    """What all of this owner's jobs that wait or are worked on name."""
    query = f"SELECT body FROM jobs WHERE {_WAITS} AND owner = ?"
    named: set[str] = set()
    for (body,) in journal.read(query, (owner,)):
        asked = json.loads(body)
        named.update(asked["parts"], filter(None, (asked.get("depth"), asked.get("start"))))
    return named


async def was_named(journal: Journal, owner: str, digest: str) -> bool:
    """Whether any job of this owner's names the clip, over or not.

    With pauses in which others have their turn. A job that comes meanwhile is looked at too: there
    is none that has come since when it returns.
    """
    numbers = "SELECT number FROM jobs WHERE owner = ? AND number > ?"
    names = "SELECT 1 FROM jobs WHERE number = ? AND instr(body, ?)"
    last = 0
    while there := sorted(number for (number,) in journal.read(numbers, (owner, last))):
        for count, last in enumerate(there, 1):
            if journal.read(names, (last, digest)):
                return True
            if count % NAMED_AT_ONCE == 0:
                await asyncio.sleep(0)
    return False


async def named(
    journal: Journal, there: Set[tuple[str, str]]
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Of the clips that are there, by owner's folder and name: those that jobs which wait or are
    worked on name, and those that any job does.

    In one pass over the journal, with pauses in which others have their turn. A job that comes
    meanwhile is not in it; it has noted that its clips are of use.
    """
    waited_for: set[tuple[str, str]] = set()
    ever: set[tuple[str, str]] = set()
    folders: dict[str, str] = {}
    query = f"SELECT number, owner, {_WAITS}, body FROM jobs WHERE number > ? ORDER BY number"
    number = 0
    while rows := journal.read(f"{query} LIMIT {NAMED_AT_ONCE}", (number,)):
        for number, owner, waits, body in rows:  # noqa: B007 - of the last one
            folder = folders.get(owner) or folders.setdefault(owner, owner_name(owner))
            here = there & {(folder, digest) for digest in _DIGEST.findall(body)}
            ever |= here
            if waits:
                waited_for |= here
        await asyncio.sleep(0)
    return waited_for, ever


def is_over(journal: Journal, owner: str, job: str) -> bool:
    """Whether that job has ended; also if there is none."""
    query = f"SELECT 1 FROM jobs WHERE owner = ? AND id = ? AND {_WAITS}"
    return not journal.read(query, (owner, job))


async def over(journal: Journal) -> AsyncIterator[Ended]:
    """Jobs that are over, the newest first; with pauses in which others have their turn."""
    number = 1 << 62
    condition = f"number < ? AND NOT {_WAITS} AND ended NOT NULL ORDER BY number DESC"
    while jobs := _ended(journal, f"{condition} LIMIT {AT_ONCE}", (number,)):
        for job in jobs:
            yield job
        number = jobs[-1].number
        await asyncio.sleep(0)


def to_delete(journal: Journal, every: bool) -> list[Ended]:
    """Jobs that are over and asked for deletion on delivery; or every one that is over."""
    asked = "1" if every else "instr(body, ?)"
    return _ended(journal, f"NOT {_WAITS} AND {asked}", () if every else (_FLAG,))


def _ended(journal: Journal, condition: str, values: tuple = ()) -> list[Ended]:
    query = f"SELECT number, id, owner, stage, ended FROM jobs WHERE {condition}"
    return [Ended(*row) for row in journal.read(query, values)]
