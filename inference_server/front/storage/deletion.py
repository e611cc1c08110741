"""Deletes footage on delivery: a job's takes, and the clips that no other job waits for."""

from __future__ import annotations

import asyncio
import logging

from ..journal.entry import Entry
from ..journal.journal import Journal
from . import uses
from .kept import DELIVERED, set_aside, sweep
from .slow import slowly
from .store import Store

log = logging.getLogger(__name__)


class Deletion:
    """Notes what is delivered, and deletes what is to be deleted then.

    every: whether that is so for all jobs, not only for those that asked for it.
    """

    def __init__(self, store: Store, journal: Journal, every: bool) -> None:
        self._store, self._journal, self._every = store, journal, every
        self._under_way: set[asyncio.Task] = set()

    async def delivered(self, entry: Entry, delete: bool = False) -> None:
        """A finished job's client has all of its takes. What is to be deleted is when this ends.

        delete: whether its client wants that only now.
        """
        folder = self._store.result_folder(entry.owner, entry.id)
        if not (delete or self._wanted(entry)):
            if folder.is_dir():
                (folder / DELIVERED).touch()
            return
        set_aside(self._store.folder, folder)
        log.info("job %s: the result is deleted, since it is delivered", entry.id)
        self._delete_clips(entry)
        await slowly(sweep, self._store.folder)

    def ended(self, entry: Entry) -> None:
        """A job is over: where it brought no result, there is nothing to wait for."""
        if entry.stage in ("failed", "cancelled") and self._wanted(entry):
            self._delete_clips(entry)
            self._sweep_later()

    def catch_up(self) -> None:
        """Delete what an ended server did not get to any more.

        Clips that have been of use since that job's end are another job's by now.
        """
        for job in uses.to_delete(self._journal, self._every):
            result = self._store.result_folder(job.owner, job.id)
            if job.stage != "finished" or not result.exists():
                self._delete_clips(self._journal.find(job.owner, job.id), job.ended)
            elif (result / DELIVERED).exists():
                set_aside(self._store.folder, result)
                self._delete_clips(self._journal.find(job.owner, job.id), job.ended)
        self._sweep_later()

    def _wanted(self, entry: Entry) -> bool:
        return self._every or bool(entry.body.get("delete_on_delivery"))

    def _delete_clips(self, entry: Entry, used_before: float = float("inf")) -> None:
        beside = filter(None, (entry.body.get("depth"), entry.body.get("start")))
        needed = uses.needed(self._journal, entry.owner)
        for digest in {*entry.body["parts"], *beside} - needed:
            clip = self._store.clip(entry.owner, digest)
            if not clip.is_file() or clip.stat().st_mtime > used_before:
                continue
            set_aside(self._store.folder, clip)
            log.info("job %s: a clip of its is deleted (%s)", entry.id, digest)

    def _sweep_later(self) -> None:
        task = asyncio.ensure_future(slowly(sweep, self._store.folder))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
