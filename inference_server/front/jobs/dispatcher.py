"""Which job goes to which lane and when, and what becomes of it in the journal."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

from shared.errors import RecamError
from shared.protocol.messages import error_body

from ...engines.registry import LANES, EngineStatus, check_release, choose, engine_statuses
from ..faults import server_fault
from ..journal.entry import Entry
from ..journal.journal import Journal
from ..storage.room import check_room
from ..storage.store import Store, disk_error
from . import attempts
from .estimates import worker_gone
from .lane import STOP_SECONDS, Lane
from .line_news import LineNews
from .outcomes import Outcome, kept, record, take_up
from .progress import Progress
from .waiting import Waiting

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0  # until the disk is tried again, when it took nothing


class Dispatcher:
    """The lanes, and the jobs that wait for one.

    on_change: called with each job whose stage, progress or place in the line has changed.
    make_room: asked to where the disk takes nothing, or has too little left for jobs.
    lanes: for whoever wants to know what is at work; see ``Lane``.
    """

    def __init__(
        self,
        journal: Journal,
        store: Store,
        releases: Path,
        on_change: Callable[[Entry], None],
        make_room: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._store = store
        self._releases = releases
        self._on_change = on_change
        self._make_room = make_room
        self._waiting = Waiting(LANES.values(), next(iter(LANES.values()))[0])
        self._line_news = news = LineNews(
            self._waiting, lambda entry: (self.ahead(entry), self.trouble_of(entry)), on_change
        )
        on = self.wake, news.changed, self._on_progress, self._on_outcome
        self.lanes = [Lane(name, engines, releases, *on) for name, engines in LANES.items()]
        self._settling: set[asyncio.Task] = set()
        self._disk_trouble = ""
        self._ready = False  # to hand over: what an ended server left is taken up
        self._stopping = False

    def start(self) -> None:
        """Take up what an ended server left; have the worker that every server needs."""
        self._store.clear()
        for entry in self._journal.queued():
            self._waiting.add(entry)
        self.lanes[0].start()  # what it runs, runs anywhere: the others start when needed
        self._take_up()

    def _take_up(self) -> None:
        try:
            for entry in self._journal.interrupted():
                take_up(self._journal, entry)
                self._changed(entry)
            for entry in self._journal.queued():  # more by now
                self._waiting.add(entry)
        except RecamError as error:
            self._later(error, self._take_up)
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._ready, self._disk_trouble = True, ""
        self.wake()

    def _later(self, error: RecamError, what: Callable[[], None]) -> None:
        """The disk takes nothing, or too little: nothing is handed over until it does."""
        log.error("%s", error)
        self._ready, self._disk_trouble = False, error.sentence
        self._line_news.changed()
        self._make_room()
        asyncio.get_running_loop().call_later(RETRY_SECONDS, what)

    def accepted(self, entry: Entry) -> None:
        """The journal has a job that may be new; it is handed over once this call is done with."""
        if entry.stage == "queued":
            self._waiting.add(entry)
            self._line_news.changed()
            asyncio.get_running_loop().call_soon(self.wake)

    def wake(self) -> None:
        """Give every lane that is free the job whose turn it is."""
        free = [lane for lane in self.lanes if lane.entry is None]
        if self._stopping or not (self._ready and free and len(self._waiting)):
            return
        statuses = engine_statuses(self._releases)
        with contextlib.suppress(RecamError):  # not known at the moment: as it was
            self._waiting.auto, _ = choose("auto", statuses)
        try:
            check_room(self._store.folder)
            for lane in free:
                while lane.entry is None and (line := self._waiting.line(lane.engines)):
                    if not self._hand_over(lane, line[0], statuses):
                        break
        except RecamError as error:
            self._later(error, self._go_on)

    def _hand_over(self, lane: Lane, entry: Entry, statuses: list[EngineStatus]) -> bool:
        """Whether the job is out of the line: a lane without a worker gets one first.

        Raises RecamError ``server_disk`` where the disk takes nothing, or cannot be read.
        """
        try:
            engine, reason = choose(entry.body["engine"], statuses)
            if not lane.up:
                lane.start()
                return False
            attempt = attempts.new_attempt(entry.id)
            shot = self._journal.shot(entry)
            order = attempts.write_order(self._store, attempt, entry, engine, shot)
        except OSError as error:
            raise disk_error(error) from None
        except RecamError as error:
            if error.code == "server_disk":  # it passes
                raise
            self._journal.fail(entry, error_body(error))
        except Exception:  # one job that cannot be read must not stop the others
            log.exception("job %s cannot be handed over", entry.id)
            self._journal.fail(entry, error_body(server_fault()))
        else:
            if self._journal.start(entry, engine, reason):
                self._waiting.serve(entry, engine)
                lane.give(entry, attempt, engine, order)
        self._waiting.remove(entry)
        self._changed(entry)
        return True

    def check_release(self, engine: str, settings: dict) -> None:
        """RecamError ``weights_missing`` where a request names weights that are not there."""
        check_release(engine, settings, self._releases)

    @property
    def engines(self) -> list[EngineStatus]:
        """What can be done now: weights come and go; empty until a worker is up."""
        return engine_statuses(self._releases) if any(lane.up for lane in self.lanes) else []

    @property
    def trouble(self) -> str:
        """Why some jobs are not worked on, in words, or empty."""
        return next(filter(None, [self._disk_trouble, *(lane.trouble for lane in self.lanes)]), "")

    def trouble_of(self, entry: Entry) -> str:
        """Why a job that waits is not worked on though it is its turn, in words, or empty."""
        waits = entry.stage == "queued"
        return self._disk_trouble or (self._waits_for(entry).trouble if waits else "")

    def progress(self, entry: Entry) -> Progress:
        """How far a job is; all zero unless it is at work, and wanted."""
        lane = self._at(entry)
        return lane.progress if lane and entry.stage == "rendering" else Progress()

    def ahead(self, entry: Entry) -> int:
        """How many jobs are at work or wait before this one in its lane; 0 if it does not wait."""
        if entry.stage != "queued":
            return 0
        return bool(self._waits_for(entry).entry) + self._waiting.before(entry)

    def waiting_for(self, lane: Lane) -> int:
        """How many jobs wait for a lane."""
        return len(self._waiting.line(lane.engines))

    def under_way(self, owner: str) -> list[Entry]:
        """This owner's jobs that are at work or wait."""
        at_work = [lane.entry for lane in self.lanes if lane.entry]
        jobs = [entry for entry in (*at_work, *self._waiting) if entry.owner == owner]
        return [self._journal.find(owner, entry.id) for entry in jobs]

    async def estimate(self, owner: str, name: str, question: dict) -> dict:
        """What a job of this owner's, for the engine of that name, would take, as ``job.estimate``.

        Raises RecamError as ``choose`` does, as the engine would, and as ``Estimates`` does.
        """
        statuses = engine_statuses(self._releases)
        engine, reason = choose(name, statuses)
        if not any(lane.up for lane in self.lanes):
            raise worker_gone()
        lane = self._lane_of(engine)
        found = await lane.ask(owner, engine, question)
        before = self._waiting.before_new(owner, lane.engines)
        seconds = 0.0 if lane.entry is None else lane.progress.seconds_left
        return {
            "engine": engine,
            "engine_reason": reason,
            **found,
            "ahead": before + bool(lane.entry),
            "ahead_seconds": None if before else seconds,
        }

    def cancel(self, entry: Entry) -> None:
        """End a job that waits at once, one at work as soon as its engine heeds it.

        One that was rendered to its end by then is finished all the same, if its result is kept;
        one that would be tried again ends here.
        """
        if entry.over:
            return
        lane = self._at(entry)
        if lane is None:
            self._journal.cancel(entry)
            self._waiting.remove(entry)
            self._changed(entry)
        elif self._journal.cancelling(entry):
            if lane.at_work:
                lane.cancel()
            self._changed(entry)

    async def stop(self) -> None:
        """End the workers; the jobs they have go back into the line, for the next start."""
        self._stopping = True
        self._line_news.stop()
        await asyncio.gather(*(lane.stop() for lane in self.lanes))
        if self._settling:
            _, unsettled = await asyncio.wait(self._settling, timeout=STOP_SECONDS)
            for task in unsettled:  # the journal says that they are at work: the next start sees it
                task.cancel()

    def _lane_of(self, engine: str) -> Lane:
        return next(lane for lane in self.lanes if engine in lane.engines)

    def _waits_for(self, entry: Entry) -> Lane:
        return self._lane_of(self._waiting.engines_for(entry)[0])

    def _at(self, entry: Entry) -> Lane | None:
        """The lane that has the job."""
        return next((x for x in self.lanes if x.entry and x.entry.number == entry.number), None)

    def _on_progress(self, lane: Lane) -> None:
        try:
            self._changed(lane.entry)
        except RecamError as error:  # the next word on it tells
            log.error("%s", error)

    def _on_outcome(self, lane: Lane, outcome: Outcome) -> None:
        task = asyncio.ensure_future(self._settle(lane, outcome))
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)

    async def _settle(self, lane: Lane, outcome: Outcome) -> None:
        """Keep the result, write down how the attempt ended, as often as it takes; then go on."""
        entry = lane.entry
        outcome = await kept(self._store, entry, lane.attempt, outcome)
        await self._until_done(lambda: record(self._journal, entry, outcome))
        now = await self._until_done(lambda: self._journal.find(entry.owner, entry.id))
        if self._ready:
            self._disk_trouble = ""
        lane.release()
        if now.stage == "queued":
            self._waiting.add(now)
        self._tell(now)
        left = attempts.left_over(self._store, (lane.attempt for lane in self.lanes))
        await asyncio.to_thread(attempts.remove, left)  # first: it makes room
        self.wake()

    async def _until_done(self, what: Callable):
        """What it gives, tried until it gives it: an end is not lost, only late."""
        while True:
            try:
                return what()
            except RecamError as error:  # the disk took nothing
                log.error("%s", error)
                self._disk_trouble = error.sentence
            except Exception:  # a lane must not wait for ever for one job's end
                log.exception("how a job has ended cannot be written down")
                self._disk_trouble = server_fault().sentence
            self._line_news.changed()
            self._make_room()
            await asyncio.sleep(RETRY_SECONDS)

    def _changed(self, entry: Entry) -> None:
        self._tell(self._journal.find(entry.owner, entry.id))

    def _tell(self, entry: Entry) -> None:
        self._on_change(entry)
        if entry.stage != "rendering":
            self._line_news.changed()
