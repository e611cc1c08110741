"""How the server is: the answer to ``server.status``, and what metrics are made of."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import shutil
import time
from collections import Counter
from dataclasses import asdict

import psutil

from shared.version import VERSION

from ..observing.counts import Counts
from .jobs.dispatcher import Dispatcher
from .jobs.lane import Lane
from .limits import Limits
from .network.door import Door
from .storage.kept import scan
from .storage.room import space
from .storage.store import Store, owner_name

PACKAGES = ("pyzmq", "numpy", "av", "torch", "diffusers", "transformers")
DISK_SECONDS = 10.0  # so long a look at the disk is good for


class Status:
    """Asks the front's parts. Nothing here waits for a worker, or looks at the disk very often."""

    def __init__(
        self,
        counts: Counts,
        door: Door,
        dispatcher: Dispatcher,
        store: Store,
        limits: Limits,
    ) -> None:
        self._counts, self._door, self._dispatcher = counts, door, dispatcher
        self._store, self._limits = store, limits
        self._began = time.monotonic()
        self._looked = float("-inf")
        self._kept: dict[str, Counter[str]] = {}
        self._disk: dict[str, int] = {}
        self._versions = {name: _version(name) for name in PACKAGES}
        self._looking = asyncio.Lock()

    async def of(self, owner: str) -> dict:
        """What this client may know: of its own jobs the ids, of the others how many there are."""
        lanes = [self._lane(lane) for lane in self._dispatcher.lanes]
        yours = [
            {"job": entry.id, "stage": entry.stage, "ahead": self._dispatcher.ahead(entry)}
            for entry in self._dispatcher.under_way(owner)
        ]
        disk = await self.disk()
        return {
            "server": f"recam {VERSION}",
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": self._versions,
            "began": self._counts.began,
            "seconds": round(time.monotonic() - self._began, 1),
            "memory": memory(),
            "lanes": lanes,
            "queue": {
                "waiting": sum(lane["waiting"] for lane in lanes),
                "at_work": sum(lane["at_work"] for lane in lanes),
                "yours": yours,
            },
            "ended": dict(self._counts.ended),
            "disk": disk | {"yours": self._kept.get(owner_name(owner), Counter()).total()},
            "limits": asdict(self._limits),
            "trouble": self._dispatcher.trouble,
        }

    async def figures(self) -> dict:
        """What metrics are made of: nobody's own."""
        return {
            "status": await self.of(""),
            "counts": self._counts,
            "keys_refused": self._door.refused,
        }

    def _lane(self, lane: Lane) -> dict:
        progress = lane.progress
        return {
            "name": lane.name,
            "engines": list(lane.engines),
            "worker": "up" if lane.up else "starting" if lane.pid else "not started",
            "memory": memory(lane.pid) if lane.pid else 0,
            "device": lane.device,
            "restarts": self._counts.restarts(lane.name),
            "waiting": self._dispatcher.waiting_for(lane),
            "at_work": bool(lane.entry),
            "doing": progress.doing,
            "step": progress.done,
            "steps": progress.steps,
            "seconds_left": progress.seconds_left,
            "trouble": lane.trouble,
        }

    async def disk(self) -> dict:
        """Bytes of ``clips``, ``uploads``, ``results``; ``most`` of them; ``free`` on the disk."""
        async with self._looking:
            if time.monotonic() - self._looked > DISK_SECONDS:
                self._kept, self._disk = await asyncio.to_thread(self._look)
                self._looked = time.monotonic()
        return self._disk

    def _look(self) -> tuple[dict[str, Counter[str]], dict[str, int]]:
        by_owner: dict[str, Counter[str]] = {}
        kinds = Counter(clips=0, uploads=0, results=0)
        for kept in scan(self._store.folder, lambda stamp: 0.0):
            by_owner.setdefault(kept.owner, Counter())[kept.kind] += kept.bytes
            kinds[kept.kind] += kept.bytes
        there = space(self._limits, self._store.folder)
        free = shutil.disk_usage(self._store.folder).free
        return by_owner, {**kinds, "most": there.all, "most_yours": there.per_client, "free": free}


def memory(process: int | None = None) -> int:
    """Bytes that a process of that number has in memory, by default this one; 0 if it is gone."""
    try:
        return psutil.Process(process).memory_info().rss
    except psutil.Error:
        return 0


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
