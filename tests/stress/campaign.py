"""Many jobs by several client processes on a server that is started again whenever it dies."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from proxy import Proxy
from servers import ROOT, Server

from shared.protocol.keys import client_keys, server_keys

from . import plan as plans
from .artist import read_ledger
from .observer import Observer
from .plan import CLIPS, Job
from .table import Row
from .verdict import Verdict, judge, watch_ends

# Real projection, as many times as is asked for: the engine itself makes one take.
_TWICE = """

class Several(ProjectionEngine):
    settings = ProjectionEngine.settings | {"takes"}

    def render(self, clip, source, path, settings, on_progress, should_stop):
        plain = {name: value for name, value in settings.items() if name != "takes"}
        for _ in range(settings.get("takes", 1)):
            yield from super().render(clip, source, path, plain, on_progress, should_stop)


ProjectionEngine = Several
"""


class Campaign:
    """A server, its artists and their observers, in a folder of its own; a context manager.

    proxy: what the artists' connections go through; the observers' do not. slow: see ``Proxy``.
    """

    def __init__(self, plan: list[Job], slow: float) -> None:
        from takes import write_clip

        self.plan = plan
        artists = 1 + max(job.artist for job in plan)
        self.folder = Path(tempfile.mkdtemp(prefix="recam-stress-"))
        self.server = Server(self.folder / "server")
        self.clips = self.folder / "clips"
        self.clips.mkdir()
        for name, (frames, width, height) in CLIPS.items():
            write_clip(self.clips / f"{name}.mp4", frames, width, height)
        self.references = plans.references(self.plan, self.clips)
        self._code = _with_several_takes(self.folder / "code")
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep_up, name="supervisor", daemon=True)
        self.broke_down: list[int] = []  # exit statuses of servers that nobody has killed
        self._slow = slow
        self.artists = [self._folder_for(number) for number in range(artists)]
        self.processes: list[subprocess.Popen | None] = [None] * artists

    def __enter__(self) -> Campaign:
        watch_ends(self.server.state)
        self.server.start(self._code)
        self._keeper.start()
        self.proxy = Proxy(self.server.address)
        self.proxy.slow = self._slow
        key = server_keys(self.server.config).public
        self.observers = [
            Observer(self.server.address, key, client_keys(folder), [job.id for job in jobs])
            for folder, jobs in zip(self.artists, self._jobs(), strict=True)
        ]
        self.release(0)
        for number in range(len(self.artists)):
            self.start_artist(number)
        return self

    def __exit__(self, *exc) -> None:
        self._stopping.set()
        for process in self.processes:
            if process and process.poll() is None:
                process.kill()
                process.wait()
        for observer in self.observers:
            observer.close()
        self.proxy.close()
        if self.server.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.stop(20)
        self._keeper.join(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def alive(self) -> Row:
        """That the server has ended only where it was killed."""
        figure = ", ".join(map(str, self.broke_down))
        what = "servers that broke down of themselves, exit statuses"
        return Row(what, figure or "none", "none", not figure)

    def judge(self) -> Verdict:
        """Stop the server in order, and look at what it and its clients hold."""
        time.sleep(1.0)  # for the observers to hear of the last end
        self._stopping.set()
        self.server.stop(30)
        found = judge(self.plan, self.server.state, self.artists, self.observers, self.references)
        for line in found.wrong[:20]:
            print(f"  {line}")
        return found

    def start_artist(self, number: int) -> None:
        """Start a client process, or start it again."""
        folder = self.artists[number]
        with (folder / "log").open("a") as log:
            self.processes[number] = subprocess.Popen(
                [sys.executable, "-m", "tests.stress.artist", str(folder), self.proxy.address],
                env=os.environ | {"RECAM_CONFIG": str(folder), "PYTHONFAULTHANDLER": "1"},
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )

    def release(self, count: int) -> None:
        """So many jobs in all may have been begun by now."""
        for number, folder in enumerate(self.artists):
            may = len([job for job in self.plan[:count] if job.artist == number])
            draft = folder / "released.new"
            draft.write_text(str(may))
            draft.replace(folder / "released")

    def wait(self, seconds: float, each=lambda: None) -> None:
        """Until every artist has seen all of its jobs end; TimeoutError after ``seconds``.

        An artist that ends of itself before that is a fault: RuntimeError.
        """
        deadline = time.monotonic() + seconds
        while any(process.poll() is None for process in self.processes):
            if time.monotonic() > deadline:
                raise TimeoutError(f"not all jobs have ended: {Counter(self.stages().values())}")
            each()
            time.sleep(0.1)
        for folder, process in zip(self.artists, self.processes, strict=True):
            if process.returncode:
                raise RuntimeError(f"an artist broke down:\n{(folder / 'log').read_text()[-3000:]}")

    def stages(self) -> dict[str, str]:
        """Where each job that was begun stands, as its artist has it."""
        return {
            job: stage for folder in self.artists for job, stage in read_ledger(folder)[0].items()
        }

    def ended(self) -> int:
        """How many jobs the artists know to have ended."""
        return sum(len(read_ledger(folder)[1]) for folder in self.artists)

    def _jobs(self) -> list[list[Job]]:
        return [[job for job in self.plan if job.artist == n] for n in range(len(self.artists))]

    def _folder_for(self, number: int) -> Path:
        """An artist's folder: keys that the server knows, the plan, room for takes."""
        folder = self.folder / f"artist-{number}"
        (folder / "takes").mkdir(parents=True)
        (self.server.config / "clients").mkdir(parents=True, exist_ok=True)
        client_keys(folder)
        shutil.copy(folder / "client.pub", self.server.config / "clients" / f"{number}.pub")
        server_keys(self.server.config)
        shutil.copy(self.server.config / "server.pub", folder)
        plans.save([job for job in self.plan if job.artist == number], folder / "plan.json")
        (folder / "clips").symlink_to(self.clips)
        return folder

    def _keep_up(self) -> None:
        """The supervisor: whenever the server has died, start it again."""
        while True:
            status = self.server.process.wait()
            if self._stopping.is_set():
                return
            if status != -signal.SIGKILL:
                self.broke_down.append(status)
                print(f"  the server broke down: {self.server.log.read_text()[-3000:]}", flush=True)
            with contextlib.suppress(AssertionError):  # killed before it listened
                self.server.start(self._code)


def _with_several_takes(code: Path) -> Path:
    for package in ("inference_server", "shared"):
        ignored = shutil.ignore_patterns("__pycache__", "miniature")
        shutil.copytree(ROOT / package, code / package, ignore=ignored)
    with (code / "inference_server/engines/projection/engine.py").open("a") as file:
        file.write(_TWICE)
    return code
