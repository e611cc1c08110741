"""Hands queued jobs to workers, follows them, and deals with workers that end or do not listen."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from shared.errors import RecamError
from shared.protocol.messages import error_body

from ..engines.registry import HEED_SECONDS, EngineStatus, choose, engine_statuses
from .estimates import Estimates, worker_gone
from .journal import MOST_ATTEMPTS, Entry, Journal
from .progress import Progress
from .store import Store, disk_error, keep
from .worker_process import WorkerProcess

log = logging.getLogger(__name__)

STOP_SECONDS = 5.0  # for workers to end in order when the server stops
RETRY_SECONDS = 5.0  # until the journal is tried again, when the disk took nothing
LONGEST_PAUSE = 30.0  # between two starts of a worker that does not come up


class Dispatcher:
    """One worker, the queue before it, and the job it has.

    on_change: called with each job whose stage or progress has changed.
    """

    def __init__(
        self, journal: Journal, store: Store, releases: Path, on_change: Callable[[Entry], None]
    ) -> None:
        self.trouble = ""  # why no job is worked on, in words
        self._failed_starts = 0
        self._journal = journal
        self._store = store
        self._releases = releases
        self._on_change = on_change
        self._progress: Progress | None = None
        self._estimates = Estimates()
        self._job: Entry | None = None
        self._cancelling: asyncio.TimerHandle | None = None
        self._worker: WorkerProcess | None = None
        self._up = False  # whether the worker has said that it is
        self._ended = asyncio.Event()
        self._stopping = False

    def start(self) -> None:
        """Put back what an ended server left half done, and start the worker."""
        self._store.clear()
        for entry in self._journal.interrupted():
            self._give_back(entry, blameless=True)  # the server ended, and took its worker along
        self._start_worker()

    def wake(self) -> None:
        """Give the worker the next job, if it is free and there is one."""
        try:
            while self._free and (entry := self._journal.next_queued()):
                self._hand_over(entry)
        except RecamError as error:  # the journal cannot be written
            log.error("%s", error)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.wake)

    @property
    def engines(self) -> list[EngineStatus]:
        """What the worker can do now: weights come and go; empty until it is up."""
        return engine_statuses(self._releases) if self._up else []

    @property
    def _free(self) -> bool:
        return self._up and self._job is None and not self._stopping

    def _hand_over(self, entry: Entry) -> None:
        try:
            engine, reason = choose(entry.body["engine"], self.engines)
            order = self._write_order(entry, engine)
        except RecamError as error:
            self._journal.fail(entry, error_body(error))
        except OSError as error:
            self._journal.fail(entry, error_body(disk_error(error)))
        except Exception:  # one job that cannot be read must not stop the others
            log.exception("job %s cannot be handed over", entry.id)
            self._journal.fail(entry, error_body(server_fault()))
        else:
            self._journal.engine(entry, engine, reason)
            self._journal.start(entry)
            self._job = entry
            self._progress = Progress()
            self._worker.job = entry.id
            self._worker.send({"do": "render", "order": str(order)})
        self._changed(entry)

    def progress(self, entry: Entry) -> Progress:
        """How far a job is; all zero unless it is the one at work, and wanted."""
        at_work = self._job and self._job.number == entry.number and self._progress
        return self._progress if at_work and entry.stage == "rendering" else Progress()

    async def estimate(self, name: str, question: dict) -> dict:
        """What a job for the engine of that name would take, as ``job.estimate`` tells it.

        Raises RecamError as ``choose`` does, as the engine would, and as ``Estimates`` does.
        """
        engine, reason = choose(name, engine_statuses(self._releases))
        if not self._up:
            raise worker_gone()
        found = await self._estimates.ask(self._worker.send, engine, question)
        waiting = self._journal.waiting()
        return {
            "engine": engine,
            "engine_reason": reason,
            **found,
            "ahead": len(waiting),
            "ahead_seconds": self._seconds_of(waiting),
        }

    def _seconds_of(self, waiting: list[Entry]) -> float | None:
        """How long these jobs will take; None where it is not known of one."""
        if not waiting:
            return 0.0
        return self.progress(waiting[0]).seconds_left if len(waiting) == 1 else None

    def cancel(self, entry: Entry) -> None:
        """End a job that waits at once, one at work as soon as its engine heeds it.

        A worker whose engine has not heeded it in its time is killed.
        """
        if self._job and self._job.number == entry.number:
            if self._cancelling is None:
                self._journal.cancelling(entry)
                self._changed(entry)
                self._worker.send({"do": "cancel"})
                self._cancelling = asyncio.get_running_loop().call_later(
                    HEED_SECONDS[entry.engine], self._worker.kill
                )
        elif not entry.over:
            self._journal.cancel(entry)
            self._changed(entry)

    async def stop(self) -> None:
        """End the worker; the job it has goes back into the queue, for the next start."""
        self._stopping = True
        if self._worker is None:
            return
        self._worker.end()
        try:
            await asyncio.wait_for(self._ended.wait(), STOP_SECONDS)
        except TimeoutError:
            self._worker.kill()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), STOP_SECONDS)

    def _start_worker(self) -> None:
        if self._stopping:
            return
        try:
            self._worker = WorkerProcess(self._on_message, self._on_end, str(self._releases))
            self._ended.clear()
        except OSError as error:
            log.error("the worker cannot be started: %s", error)
            self._start_later()

    def _start_later(self) -> None:
        """After a pause that grows, so that a broken worker does not keep the server busy."""
        self._failed_starts += 1
        pause = min(2.0 ** (self._failed_starts - 1), LONGEST_PAUSE)
        if self._failed_starts > 1:
            self.trouble = "The server's worker does not start; its log says why. It tries again."
        asyncio.get_running_loop().call_later(pause, self._start_worker)

    def _write_order(self, entry: Entry, engine: str) -> Path:
        """What the worker needs, in a file: a long shot is megabytes."""
        body, work = entry.body, self._store.work_folder(entry.id)
        clips = [self._store.clip(entry.owner, digest) for digest in body["parts"]]
        beside = {  # an older server's request has no start
            name: str(self._store.clip(entry.owner, body[name])) if body.get(name) else None
            for name in ("depth", "start")
        }
        for file in [*clips, *filter(None, beside.values())]:
            if not Path(file).is_file():
                raise RecamError(
                    "clip_gone",
                    f"The clip {body['name']!r} is no longer on the server.",
                    "Send it again.",
                )
        order = {
            "job": entry.id,
            "clips": [str(clip) for clip in clips],
            **beside,
            "first": body["first"],
            "name": body["name"],
            "audio": body["audio"],
            "untagged_matrix": body["untagged_matrix"],
            "settings": body["settings"],
            "engine": engine,
            "shot": json.loads(self._journal.shot(entry)),
            "out": str(self._store.draft(entry.id)),
        }
        work.mkdir(parents=True, exist_ok=True)
        file = work / "order.json"
        file.write_text(json.dumps(order))
        return file

    def _on_message(self, message: dict) -> None:
        say = message["say"]
        if say == "ready":
            self._up = True
            self._failed_starts, self.trouble = 0, ""
            self.wake()
        elif say == "estimate":
            self._estimates.answered(message)
        elif self._job is None or message["job"] != self._job.id:
            log.warning("the worker spoke of a job it does not have: %s", message)
        elif say == "progress":
            far = {name: message[name] for name in ("steps", "doing", "remarks")}
            self._progress.step(message["step"], **far)
            if message["picture"]:
                self._progress.show(message["picture"])
            self._changed(self._job)
        elif say == "finished":
            self._finish(message["result"])
        elif say == "cancelled" and self._cancelling:
            self._done(self._journal.cancel)
        elif say == "cancelled":
            log.info("job %s is put back: the server stops", self._job.id)
        elif say == "failed":
            error = {name: message[name] for name in ("code", "sentence", "hint")}
            self._done(lambda entry: self._journal.fail(entry, error))

    def _finish(self, result: dict) -> None:
        entry = self._job
        folder = self._store.result_folder(entry.owner, entry.id)
        work = self._store.work_folder(entry.id)
        try:
            shutil.rmtree(folder, ignore_errors=True)
            (work / "order.json").unlink(missing_ok=True)
            keep(work, folder)
        except OSError as error:
            told = error_body(disk_error(error))
            self._done(lambda entry: self._journal.fail(entry, told))
            return
        self._done(lambda entry: self._journal.finish(entry, result))

    def _done(self, record: Callable[[Entry], None]) -> None:
        entry, self._job, self._progress = self._job, None, None
        if self._cancelling:
            self._cancelling.cancel()
            self._cancelling = None
        try:
            record(entry)
        except RecamError as error:  # the disk took nothing: the end is not lost, only late
            log.error("%s", error)
            self._job = entry
            # Unless the worker ends meanwhile and the job is given back: it is another's turn then.
            asyncio.get_running_loop().call_later(
                RETRY_SECONDS, lambda: self._job is entry and self._done(record)
            )
            return
        shutil.rmtree(self._store.work_folder(entry.id), ignore_errors=True)
        self._changed(entry)
        self.wake()

    def _on_end(self, status: int) -> None:
        self._ended.set()
        self._estimates.lost()
        came_up, self._up = self._up, False
        if self._stopping:
            if self._job and self._cancelling:
                self._done(self._journal.cancel)
            elif self._job:
                self._journal.requeue(self._job, blameless=True)
            return
        log.error("the worker ended with status %d; another is started", status)
        if self._job and self._cancelling:
            self._done(self._journal.cancel)
        elif self._job:
            self._done(self._give_back)
        if came_up:
            self._start_worker()
        else:
            self._start_later()

    def _give_back(self, entry: Entry, *, blameless: bool = False) -> None:
        """Queue a job again whose worker ended, or set it aside if it has done that before."""
        entry = self._journal.find(entry.owner, entry.id)
        if entry.stage == "cancelling":
            self._journal.cancel(entry)
            return
        if blameless or entry.attempts < MOST_ATTEMPTS:
            self._journal.requeue(entry, blameless=blameless)
            return
        error = RecamError(
            "worker_died",
            f"The server's worker ended {entry.attempts} times while it rendered this job.",
            "The clip may be damaged or too large for this machine; see the server's log.",
        )
        self._journal.fail(entry, error_body(error))

    def _changed(self, entry: Entry) -> None:
        entry = self._journal.find(entry.owner, entry.id)
        self._on_change(entry)
        if entry.over:  # fewer wait before the others
            for other in self._journal.waiting():
                if other.stage == "queued":
                    self._on_change(other)


def server_fault() -> RecamError:
    """The error for a mistake of the server's own."""
    return RecamError("server_fault", "The server made a mistake.", "Its log has the details.")
