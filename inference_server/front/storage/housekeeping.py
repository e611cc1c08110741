"""Removes what is old, and the least lately used where there is no room; never what is in use."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from shared.errors import RecamError
from shared.words import size

from ..journal.journal import Journal
from ..limits import Limits
from ..refusals import client_limit, server_full
from . import uses
from .days import Days
from .kept import Kept, scan, set_aside, sweep
from .room import Space, missing, space
from .slow import slowly
from .store import Incoming, Store, owner_name

log = logging.getLogger(__name__)

PAUSE_SECONDS = 600.0  # between two looks
HOUR = 1 / 24  # in days

# What is spared where room is made, in days since the last use; age alone removes it.
JUST_USED = HOUR  # a clip whose job is about to be sent, an upload that broke off
SENT_AHEAD = 1.0  # a clip that no job has named yet: others of that job are still being sent
FETCHED = HOUR / 6  # a result that may be being fetched
UNDELIVERED = 3.0  # a result that its client has not got yet

_ROOM = (
    "Room comes by itself: as jobs end, as results are fetched, and of clips an hour after their "
    "last use. Deleting on delivery (`recam fetch ID -o FILE --delete-on-delivery`) makes it at "
    "once."
)


class Housekeeping:
    """Keeps one state folder within its limits.

    incoming: the uploads that are open, by the owner's public key and the upload's id.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        limits: Limits,
        incoming: Mapping[tuple[str, str], Incoming],
    ) -> None:
        self._store, self._journal, self._limits = store, journal, limits
        self._incoming = incoming
        self._days = Days(store.folder / "days.json")
        self._used: Counter[str] = Counter()  # bytes of each owner's, at the last look
        self._files: Counter[str] = Counter()  # … and how many files
        self._promised: Counter[str] = Counter()  # bytes of uploads that have begun since
        self._begun: Counter[str] = Counter()  # … and how many of these
        self._looked = False
        self._keys: dict[str, str] = {}  # public keys by the names of folders
        self._waited_for: set[tuple[str, str]] = set()  # clips, at the last look, by owner and name
        self._named: set[tuple[str, str]] = set()
        self._alone = asyncio.Lock()
        self._making_room: asyncio.Task | None = None  # for a job to be rendered

    async def run(self) -> None:
        """Look after the folder now, and every ten minutes; until it is cancelled."""
        try:
            while True:
                try:
                    await self.tidy()
                except (OSError, RecamError) as error:
                    log.error("the state folder cannot be looked after: %s", error)
                except Exception:  # it must not be the last look
                    log.exception("the state folder could not be looked after")
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            if self._making_room:
                self._making_room.cancel()

    async def tidy(self, owner: str = "", need: int = 0) -> None:
        """Remove what is too old, then what there is no room for.

        owner, need: whose upload of how many bytes room is to be made for, if any.
        """
        async with self._alone:
            self._days.pass_on()
            found = await slowly(scan, self._store.folder, self._days.age)
            self._keys = {owner_name(key): key for key in uses.owners(self._journal)}
            self._keys |= {owner_name(key): key for key, _ in self._incoming}
            clips = {(kept.owner, kept.name) for kept in found if kept.kind == "clips"}
            self._waited_for, self._named = await uses.named(self._journal, clips)
            found = self._by_age(found)
            found = self._by_quota(found, owner_name(owner) if owner else "", need)
            self._count(found)
            await self._forget(found)
            await slowly(sweep, self._store.folder)

    async def make_room(self, owner: str, need: int, whole: int) -> None:
        """Count on ``need`` bytes more of this owner's, and remove old things if that takes it.

        whole: bytes of the clip, of which ``need`` are still to come.
        Raises RecamError ``clip_size`` for one that would not fit were it alone, ``client_limit``
        and ``server_full`` where what is in use leaves no room for it now.
        """
        there = self._space()
        if whole > (most := min(there.per_client, there.all)):
            raise RecamError(
                "clip_size",
                f"The clip has {size(whole)}; the server takes {size(most)} from one client.",
                "Send a shorter part of it, or ask the server's keeper for more (--most-gb).",
            )
        if not self._looked or self._lacks(there, owner, need):
            await self.tidy(owner, need)
            if lacks := self._lacks(self._space(), owner, need):
                raise lacks
        self._promised[owner_name(owner)] += need
        self._begun[owner_name(owner)] += 1

    def make_room_to_render(self) -> None:
        """Begin to remove old things if the disk has too little left for a job to be rendered."""
        if self._making_room is None or self._making_room.done():
            self._making_room = asyncio.ensure_future(self._make_room_to_render())

    async def _make_room_to_render(self) -> None:
        try:
            if lack := missing(self._store.folder):
                await self.tidy(need=lack)
        except (OSError, RecamError) as error:
            log.error("no room can be made: %s", error)

    def _space(self) -> Space:
        return space(self._limits, self._store.folder)

    def _lacks(self, there: Space, owner: str, need: int) -> RecamError | None:
        name = owner_name(owner)
        own = self._used[name] + self._promised[name]
        every = self._used.total() + self._promised.total()
        files = self._files[name] + self._begun[name]
        if files >= self._limits.files_per_client:
            return client_limit(
                f"You have {files} files on the server; that is the most that one client may have.",
                _ROOM,
            )
        if (files := self._files.total() + self._begun.total()) >= self._limits.files:
            return server_full(
                f"The server has {files} files; that is the most.",
                _ROOM,
            )
        if own + need > there.per_client:
            return client_limit(
                f"You have {size(own)} on the server; with {size(need)} more it would be over "
                f"the {size(there.per_client)} that one client may have.",
                _ROOM,
            )
        if every + need > there.all or need + self._coming() > there.free:
            left = max(0, min(there.all - every, there.free - self._coming()))
            return server_full(
                f"The server has no room for {size(need)}; {size(left)} are left.",
                _ROOM,
            )
        return None

    def _coming(self) -> int:
        """Bytes that open uploads will still bring."""
        return sum(each.size - each.offset for each in self._incoming.values())

    def _by_age(self, found: list[Kept]) -> list[Kept]:
        most = {
            "uploads": self._limits.upload_days,
            "clips": self._limits.clip_days,
            "results": self._limits.result_days,
        }

        def old(kept: Kept) -> bool:
            if kept.age <= most[kept.kind] or self._in_use(kept):
                return False
            return self._remove(kept, f"not used for {kept.age:.0f} days")

        return [kept for kept in found if not old(kept)]

    def _by_quota(self, found: list[Kept], owner: str, need: int) -> list[Kept]:
        there, used, files = self._space(), self._sums(found), _count_files(found)
        # Where it must be, a little more than it must: the next upload need not look again.
        spare = need and there.per_client // 20
        most_own, most = Counter({owner: there.per_client}), there.all
        if used[owner] + need > there.per_client:
            most_own[owner] -= need + spare
        if used.total() + need > there.all:
            most -= need + spare
        most_files = self._limits.files - _spare(self._limits.files, files.total(), owner)
        own_files = self._limits.files_per_client
        most_own_files = {owner: own_files - _spare(own_files, files[owner], owner)}
        lack = need + self._coming() - there.free  # on the disk, whose ever it is filled with
        left = []
        for kept in sorted(found, key=lambda kept: -kept.age):
            over_own = used[kept.owner] > most_own.get(kept.owner, there.per_client)
            over_own |= files[kept.owner] > most_own_files.get(kept.owner, own_files)
            over = over_own or used.total() > most or files.total() > most_files or lack > 0
            if over and not (self._in_use(kept) or self._spared(kept)):
                words = "its client has too much" if over_own else "the server has too much"
                if self._remove(kept, words):
                    used[kept.owner] -= kept.bytes
                    files[kept.owner] -= kept.files
                    lack -= kept.bytes
                    continue
            left.append(kept)
        return left

    def _in_use(self, kept: Kept) -> bool:
        key = self._keys.get(kept.owner)
        if key is None:  # nobody who has jobs or sends anything
            return False
        if kept.kind == "uploads":
            return (key, kept.name) in self._incoming
        if kept.kind == "clips":
            return (kept.owner, kept.name) in self._waited_for
        return kept.age < FETCHED or not uses.is_over(self._journal, key, kept.name)

    async def is_named(self, owner: str, digest: str) -> bool:
        """Whether any job of this owner's names the clip, over or not."""
        return await uses.was_named(self._journal, owner, digest)

    def _spared(self, kept: Kept) -> bool:
        """Whether it is too young to be removed only because there is no room."""
        if kept.kind == "results":
            return kept.age < UNDELIVERED and not kept.delivered
        if kept.age < JUST_USED:
            return True
        named = (kept.owner, kept.name) in self._named
        return kept.kind == "clips" and kept.age < SENT_AHEAD and not named

    def _remove(self, kept: Kept, why: str) -> bool:
        if kept.is_used_again() or not set_aside(self._store.folder, kept.path):
            return False
        log.info("%s/%s removed (%s): %s", kept.kind, kept.name, size(kept.bytes), why)
        return True

    def _sums(self, found: Iterable[Kept]) -> Counter[str]:
        """Bytes of each owner's; an open upload counts as what it will be."""
        coming = {
            (owner_name(key), upload): each.size for (key, upload), each in self._incoming.items()
        }
        used: Counter[str] = Counter()
        for kept in found:
            used[kept.owner] += coming.get((kept.owner, kept.name), kept.bytes)
        return used

    def _count(self, found: list[Kept]) -> None:
        self._used, self._promised, self._looked = self._sums(found), Counter(), True
        self._files, self._begun = _count_files(found), Counter()

    async def _forget(self, found: Iterable[Kept]) -> None:
        """Drop jobs that ended long ago from the journal, and of one client's the oldest where
        there are too many; none before its result."""
        results = {(kept.owner, kept.name) for kept in found if kept.kind == "results"}
        without: Counter[str] = Counter()  # results, of each client's
        forgotten = 0
        async for job in uses.over(self._journal):
            if (owner_name(job.owner), job.id) in results:
                continue
            without[job.owner] += 1
            few = without[job.owner] <= self._limits.ended_per_client
            if few and self._days.age(job.ended) <= self._limits.job_days:
                continue
            if self._store.result_folder(job.owner, job.id).exists():  # it has come since
                continue
            self._journal.forget(job.number)
            forgotten += 1
            if forgotten == uses.AT_ONCE:  # the rest next time
                break
            await asyncio.sleep(0)
        if forgotten:
            log.info("%d jobs that ended long ago are forgotten", forgotten)


def _count_files(found: Iterable[Kept]) -> Counter[str]:
    """How many files each owner has."""
    files: Counter[str] = Counter()
    for kept in found:
        files[kept.owner] += kept.files
    return files


def _spare(most: int, there: int, owner: str) -> int:
    """By how many files more than to ``most`` they are to become fewer, for an upload of ``owner``
    if any: by a few more than it must be, so that the next one need not look again."""
    return 1 + most // 20 if owner and there >= most else 0
