"""Deletes footage on delivery: a job's takes, the clips that no other job waits for, its words."""

from __future__ import annotations

import contextlib
import logging

from shared.errors import RecamError
from shared.folders import state_folder

from ..journal.emptied import is_emptied
from ..journal.entry import Entry
from ..journal.journal import Journal
from . import uses
from .kept import DELIVERED, set_aside, sweep
from .slow import later, slowly
from .store import Store, disk_error

log = logging.getLogger(__name__)

PROMPTS = "prompts"  # where workers keep what they have embedded


class Deletion:
    """Notes what is delivered, and deletes what is to be deleted then.

    every: whether that is so for all jobs, not only for those that asked for it.
    """

    def __init__(self, store: Store, journal: Journal, every: bool) -> None:
        self._store, self._journal, self._every = store, journal, every

    async def delivered(self, entry: Entry, delete: bool = False) -> None:
        """A finished job's client has all of its takes. What is to be deleted is when this ends.

        delete: whether its client wants that only now.
        Raises RecamError ``server_disk`` where it cannot be noted.
        """
        folder = self._store.result_folder(entry.owner, entry.id)
        if not (delete or self._wanted(entry)):
            if folder.is_dir():
                try:
                    (folder / DELIVERED).touch()
                except OSError as error:
                    raise disk_error(error) from None
            return
        gone = set_aside(self._store.folder, folder)
        log.info("job %s: the result is deleted, since it is delivered", entry.id)
        if self._delete_clips(entry) and gone:
            self._empty([entry])
        await slowly(self._sweep, entry.accepted)

    def ended(self, entry: Entry) -> None:
        """A job is over: where it brought no result, there is nothing to wait for."""
        if entry.stage in ("failed", "cancelled") and self._wanted(entry):
            if self._delete_clips(entry):
                self._empty([entry])
            later(self._sweep, entry.accepted)

    def catch_up(self) -> None:
        """Delete what an ended server did not get to any more.

        Clips that have been of use since that job's end are another job's by now.
        """
        over = []
        for job in uses.to_delete(self._journal, self._every):
            entry = self._journal.find(job.owner, job.id)
            result = self._store.result_folder(job.owner, job.id)
            kept = job.stage == "finished" and result.exists()
            if is_emptied(entry) or (kept and not (result / DELIVERED).exists()):
                continue
            gone = not kept or set_aside(self._store.folder, result)
            if self._delete_clips(entry, job.ended) and gone:
                over.append(entry)
        self._empty(over)
        later(self._sweep, min((entry.accepted for entry in over), default=float("inf")))

    def _wanted(self, entry: Entry) -> bool:
        return self._every or bool(entry.body.get("delete_on_delivery"))

    def _delete_clips(self, entry: Entry, used_before: float = float("inf")) -> bool:
        """Whether none is left that is to go."""
        beside = filter(None, (entry.body.get("depth"), entry.body.get("start")))
        needed = uses.needed(self._journal, entry.owner)
        gone = True
        for digest in {*entry.body["parts"], *beside} - needed:
            clip = self._store.clip(entry.owner, digest)
            if not clip.is_file() or clip.stat().st_mtime > used_before:
                continue
            gone &= set_aside(self._store.folder, clip)
            log.info("job %s: one of its clips is deleted", entry.id)
        return gone

    def _empty(self, entries: list[Entry]) -> None:
        try:
            self._journal.empty(entries)
        except RecamError as error:  # the next start does it
            log.error("%s", error)

    def _sweep(self, since: float) -> None:
        """Remove what was set aside, and the prompts that were embedded or used since then."""
        sweep(self._store.folder)
        for file in (state_folder() / PROMPTS).glob("prompt-*"):
            with contextlib.suppress(OSError):  # gone meanwhile, or in use in Windows
                if file.stat().st_mtime >= since:
                    file.unlink()
