"""A disk that is full at every stage, a worker that hangs, memory that runs out."""

from __future__ import annotations

import contextlib
import resource
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from proxy import Proxy
from servers import until
from takes import request, write_clip

from shared.client.client import Client
from shared.client.job import RemoteJob

from .beside import client_of
from .plan import CLIPS, Job
from .small_disk import MIB, SmallDisk, possible
from .table import Row

PATIENCE = 3.0  # seconds that a worker may be silent here
WAIT = 90.0
FULL_SECONDS = 3.0  # that the disk stays full in rendering
SLOW = 0.04  # seconds per 64 KiB: a clip is on its way for a while
FRAMES = 40  # of 640x360: a job that is rendered for a second or two
DISK = 192  # MiB
JOBS = 4
TAKEN = "queued", "rendering", "downloading", "finished"  # stages of a job that was accepted


def run(short: bool) -> list[Row]:
    """Each trouble once; a row that says so where this machine cannot have a small disk."""
    if why := possible():
        return [Row("full disks: SKIPPED", why, "", True)]
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as name, contextlib.ExitStack() as out:
        folder = Path(name)
        server = SmallDisk(folder / "server", DISK, PATIENCE).start()
        out.callback(server.stop)
        proxy = out.enter_context(Proxy(server.address))
        client = out.enter_context(client_of(server.config, proxy.address))
        trouble = Trouble(server, proxy, client, folder)
        return [
            trouble.in_upload(),
            trouble.in_journal(),
            trouble.in_rendering(),
            *trouble.workers(),
        ]


class Trouble:
    """One server and one client; each method is one trouble and what became of its job."""

    def __init__(self, server: SmallDisk, proxy: Proxy, client: Client, folder: Path) -> None:
        self._server, self._proxy, self._client, self._folder = server, proxy, client, folder
        self._clip = write_clip(folder / "tiny.mp4", *CLIPS["tiny"])
        self._long = write_clip(folder / "long.mp4", FRAMES, 640, 360)

    def in_upload(self) -> Row:
        """A clip of 4 MiB is half sent; then there is no room."""
        job = Job("0" * 32, 0, "tiny", 5, 4 * MIB, 1, "")
        clip = job.write_clip(self._folder, self._folder / "large.mp4")
        self._proxy.slow = SLOW
        sent = self._proxy.sent
        remote = self._client.shoot(job.request(), [clip], self._folder / "upload-take.mp4")
        until(lambda: self._proxy.sent - sent > 2 * MIB)
        with self._server.full():
            said = until(lambda: remote.state.trouble or remote.state.ended)
            ended_early = remote.state.ended
        self._proxy.slow = 0.0
        state = remote.wait(WAIT)
        good = state.stage == "finished" and not ended_early
        return Row("disk full in upload", f"“{said}”; then {_end(state)}", "finished", good)

    def in_journal(self) -> Row:
        """The clip is there, and jobs come that the journal has no room for."""
        self._client.upload(self._long).result(WAIT)
        with self._server.full():
            jobs = [self._shoot(self._long, FRAMES, f"journal-{n}") for n in range(JOBS)]
            until(lambda: all(job.state.trouble or job.state.stage in TAKEN for job in jobs))
            said = [job.state.trouble for job in jobs if job.state.trouble] or ["nothing"]
        for job in jobs[1:]:  # what is to be seen is that each is there; one take is enough
            until(lambda job=job: job.state.stage in TAKEN)
            job.cancel()
        states = [job.wait(WAIT) for job in jobs]
        ends = Counter(state.stage for state in states)
        told = ", ".join(f"{number} {stage}" for stage, number in ends.items())
        good = all(state.ended for state in states) and not ends["failed"]
        return Row(
            f"disk full as {JOBS} jobs come",
            f"{len(said)} told “{said[0]}”; then {told}",
            "each finished or cancelled as told",
            good,
        )

    def in_rendering(self) -> Row:
        """The take finds no room; the job waits until there is some again."""
        remote = self._at_work("rendering")
        with self._server.full():
            remote.wait(FULL_SECONDS)
            said, ended_early = self._client.server()["trouble"], remote.state.ended
        state = remote.wait(WAIT)
        after = self._shoot(self._clip, 4, "after").wait(WAIT)
        return Row(
            "disk full in rendering",
            f"“{said}”; then {_end(state)}; the next job {_end(after)}",
            "finished once there is room, the next too",
            bool(said) and not ended_early and state.stage == after.stage == "finished",
        )

    def workers(self) -> list[Row]:
        """A worker that stops for good, one without memory."""
        remote = self._at_work("hung")
        worker = self._worker(remote)
        began = time.monotonic()
        worker.send_signal(signal.SIGSTOP)
        state = remote.wait(WAIT)
        seconds = time.monotonic() - began
        hung = Row(
            "a worker that hangs",
            f"ended and replaced, the job {_end(state)} after {seconds:.0f} s",
            "finished",
            state.stage == "finished",
        )
        remote = self._at_work("memory")
        worker = self._worker(remote)
        worker.rlimit(resource.RLIMIT_AS, (worker.memory_info().vms, resource.RLIM_INFINITY))
        state = remote.wait(WAIT)
        if state.stage == "finished":  # it had enough for that one
            large = write_clip(self._folder / "large-memory.mp4", FRAMES, 1280, 720)
            state = self._shoot(large, FRAMES, "large-memory").wait(WAIT)
        told = state.error.sentence if state.error else ""
        after = self._shoot(self._clip, 4, "after-memory").wait(WAIT)
        good = state.stage == "failed" and after.stage == "finished"
        return [
            hung,
            Row(
                "a worker that gets no more memory",
                f"{_end(state)}: “{told}”; the next job {_end(after)}",
                "failed with a reason, the next finished",
                good,
            ),
        ]

    def _worker(self, remote: RemoteJob) -> psutil.Process:
        """The one that renders: it has used most of the processor."""
        workers = psutil.Process(self._server.process.pid).children(recursive=True)
        return max(workers, key=lambda worker: worker.cpu_times().user)

    def _at_work(self, name: str) -> RemoteJob:
        remote = self._shoot(self._long, FRAMES, name)
        until(
            lambda: (
                remote.state.ended or (remote.state.step > 2 and remote.state.stage == "rendering")
            )
        )
        assert not remote.state.ended, remote.state
        return remote

    def _shoot(self, clip: Path, frames: int, name: str) -> RemoteJob:
        asked = request(frames, name=name, engine="projection")
        return self._client.shoot(asked, [clip], self._folder / f"{name}-take.mp4")


def _end(state) -> str:
    return state.stage if state.ended else f"has not ended ({state.stage})"
