"""A lane: some engines, the worker process that runs them, and the job it has."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable
from pathlib import Path

from ...engines.registry import HEED_SECONDS, patience
from ..journal.entry import Entry
from .estimates import Estimates, worker_gone
from .outcomes import Outcome
from .progress import Progress
from .watchdog import Watchdog
from .worker_process import WorkerProcess

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0  # for a worker to end in order, when the server stops or it said that it does
START_SECONDS = 180.0  # for a worker to say that it is there
LONGEST_PAUSE = 30.0  # between two starts of a worker that does not come up


class Lane:
    """One worker, started when it is first needed, and again whenever it ends.

    name: for people. engines: names of those that it runs. pid: its worker's process id, or None.
    entry: the job it has, or None. progress: how far that is. attempt: the name of its folder.
    trouble: why it works on nothing, in words, or empty.

    on_free is called when it can take a job, on_trouble when its trouble is new, on_progress when
    its job is further, on_outcome once for each job that it was given; it keeps that job until
    ``release``.
    """

    def __init__(
        self,
        name: str,
        engines: tuple[str, ...],
        releases: Path,
        on_free: Callable[[], None],
        on_trouble: Callable[[], None],
        on_progress: Callable[[Lane], None],
        on_outcome: Callable[[Lane, Outcome], None],
    ) -> None:
        self.name, self.engines = name, engines
        self.entry: Entry | None = None
        self.attempt, self.progress, self.trouble = "", Progress(), ""
        self.at_work = False  # whether the worker has the job, too
        self._engine = ""  # that is at work
        self.up = False  # whether the worker is there, and takes orders
        self._came_up = False
        self._releases = releases
        self._on_free, self._on_trouble = on_free, on_trouble
        self._on_progress, self._on_outcome = on_progress, on_outcome
        self._worker: WorkerProcess | None = None
        self._ended = asyncio.Event()
        self._ended.set()
        self._failed_starts = 0
        self._again: asyncio.TimerHandle | None = None
        self._watchdog = Watchdog(self._silent)
        self._hung = False
        self._cancelling: asyncio.TimerHandle | None = None
        self._estimates = Estimates()
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The worker's process id."""
        return self._worker.pid if self._worker else None

    def start(self) -> None:
        """Have a worker; ``on_free`` tells when it is up. One that does not come up has pauses."""
        if self._worker or self._again or self._stopping:
            return
        try:
            self._worker = WorkerProcess(
                self.name, self._on_message, self._on_end, str(self._releases)
            )
        except OSError as error:
            log.error("the worker for %s cannot be started: %s", self.name, error)
            self._start_later()
            return
        self._ended.clear()
        self._came_up = self._hung = False
        self._watchdog.expect(START_SECONDS)

    def give(self, entry: Entry, attempt: str, engine: str, order: Path) -> None:
        """Have the worker, which is up and has none, render a job."""
        self.entry, self.attempt, self.progress = entry, attempt, Progress()
        self.at_work, self._engine = True, engine
        self._worker.job = entry.id
        self._worker.send({"do": "render", "order": str(order)})
        self._watchdog.expect(patience(engine))

    def cancel(self) -> None:
        """Call off the job at work; a worker that does not heed it in its time is killed."""
        if self._cancelling is None:
            self._worker.send({"do": "cancel"})
            self._cancelling = asyncio.get_running_loop().call_later(
                HEED_SECONDS[self._engine], self._worker.kill
            )

    def release(self) -> None:
        """The job's end is on the disk: the lane can take the next one."""
        self.entry, self.attempt, self.progress = None, "", Progress()
        if self._worker:
            self._worker.job = ""  # only now: what it printed at the job's end has been read

    @property
    def device(self) -> dict:
        """What the worker computes on, as it told last; see ``worker/device.py``."""
        return self._worker.device if self._worker else {}

    async def ask(self, owner: str, engine: str, question: dict) -> dict:
        """The worker's estimate for an owner; RecamError as ``Estimates.ask``."""
        self.start()
        if not self._worker:
            raise worker_gone()
        return await self._estimates.ask(self._worker.send, owner, engine, question)

    async def stop(self) -> None:
        """End the worker; the job that it has is put back."""
        self._stopping = True
        if self._again:
            self._again.cancel()
        if not self._worker:
            return
        self._worker.end()
        try:
            await asyncio.wait_for(self._ended.wait(), STOP_SECONDS)
        except TimeoutError:
            self._worker.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), STOP_SECONDS)

    def _on_message(self, message: dict) -> None:
        say = message["say"]
        if say == "ready":
            self.up = self._came_up = True
            self._failed_starts, self.trouble = 0, ""
            self._watchdog.rest()
            self._on_free()
        elif say == "estimate":
            self._estimates.answered(message)
        elif not self.at_work or message["job"] != self.entry.id:
            log.warning("the worker for %s spoke of a job it does not have: %s", self.name, say)
        elif self._hung:
            return  # too late, and perhaps only woken by the signal: it is being ended
        elif say == "finished":
            self._over(Outcome("finished", result=message["result"]))
        elif say == "cancelled":
            self._over(Outcome("cancelled" if self._cancelling else "put back"))
        elif say == "failed":
            error = {name: message[name] for name in ("code", "sentence", "hint")}
            self._over(Outcome("failed", error=error))
            if message["last"]:  # it ends, and another takes its place
                self.up = False
                self._watchdog.expect(STOP_SECONDS)
        else:
            if say == "progress":
                far = {name: message[name] for name in ("steps", "doing", "remarks")}
                self.progress.step(message["step"], **far)
                if message["picture"]:
                    self.progress.show(message["picture"])
                self._on_progress(self)
            self._watchdog.expect(patience(self._engine, self.progress.doing))

    def _over(self, outcome: Outcome) -> None:
        self.at_work = False
        self._watchdog.rest()
        if self._cancelling:
            self._cancelling.cancel()
            self._cancelling = None
        self._on_outcome(self, outcome)

    def _silent(self) -> None:
        doing = self.progress.doing if self.at_work else "ending" if self._came_up else "starting"
        log.error("the worker for %s says nothing any more (%s); it is ended", self.name, doing)
        self._hung = True
        self._worker.kill_with_traces()

    def _on_end(self, status: int) -> None:
        self._ended.set()
        self._watchdog.rest()
        self._estimates.lost()
        self.up, self._worker = False, None
        why = "killed" if status == -getattr(signal, "SIGKILL", 9) else "died"
        if self.at_work and self._cancelling:
            self._over(Outcome("cancelled"))
        elif self.at_work and self._stopping:
            self._over(Outcome("put back"))
        elif self.at_work:
            self._over(Outcome("gone", why="hung" if self._hung else why))
        if self._stopping:
            return
        log.error("the worker for %s ended with status %d", self.name, status)
        if self._came_up:
            self.start()
        else:
            self._start_later()

    def _start_later(self) -> None:
        """After a pause that grows, so that a broken worker does not keep the server busy."""
        self._failed_starts += 1
        pause = min(2.0 ** (self._failed_starts - 1), LONGEST_PAUSE)
        if self._failed_starts > 1:
            self.trouble = "The server's worker does not start; its log says why. It tries again."
            self._on_trouble()
        self._again = asyncio.get_running_loop().call_later(pause, self._start_again)

    def _start_again(self) -> None:
        self._again = None
        self.start()
