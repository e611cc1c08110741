"""A hundred clients with a thousand jobs, one of them greedy, beside an upload of 2 GB."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from servers import ROOT, Server

from shared.protocol.keys import client_keys, server_keys

from .beside import Beside
from .plan import CLIPS
from .running import Progress
from .table import Row

SECONDS = 300.0
PROCESSES = 4
MOST_MEMORY = 150e6  # bytes resident in the front
MOST_ACCEPT = 5.0  # seconds, where a hundred ask at the same moment
MOST_SPREAD = 2  # jobs that one client may be served more than another who waits too


def run(short: bool) -> list[Row]:
    """100 clients, 1,000 jobs, 2 GB; short: 20, 60 and 100 MB."""
    clients, jobs, upload = (20, 60, 10**8) if short else (100, 1000, 2 * 10**9)
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < 3 * upload:
            upload = 10**8
        server = Server(folder / "server")
        folders = [_key(server, folder / f"client-{n}") for n in range(clients + 2)]
        server.start()
        crowd: list[subprocess.Popen] = []
        try:
            return _crowded(server, folder, folders, jobs, upload, crowd)
        finally:
            for process in crowd:
                process.kill()
                process.wait()
            server.stop()


def _crowded(server, folder: Path, folders: list[Path], jobs: int, upload: int, crowd) -> list[Row]:
    from takes import write_clip

    clip = write_clip(folder / "tiny.mp4", *CLIPS["tiny"])
    *members, asker, sender = folders
    each = jobs // len(members) - 1
    greedy = jobs - each * (len(members) - 1)
    go = folder / "go-greedy", folder / "go"
    shares = [
        {"folder": str(member), "jobs": greedy if n == 0 else each, "go": str(go[n > 0])}
        | {"address": server.address, "clip": str(clip)}
        for n, member in enumerate(members)
    ]
    events = [_start(folder / f"crowd-{n}", shares[n::PROCESSES], crowd) for n in range(PROCESSES)]
    lines = _Lines(events, crowd)
    lines.wait("ready", len(members))
    with Beside(server, sender, asker, upload, clip) as beside:
        go[0].touch()
        lines.wait("accepted", greedy)
        go[1].touch()
        progress = Progress("jobs ended", jobs)
        lines.wait("end", jobs, progress)
        beside.finish()
        peak = _most_memory(server.process.pid)
    return _rows(lines.found, members, jobs, greedy, upload, peak, beside)


def _rows(found, members, jobs: int, greedy: int, upload: int, peak: int, beside) -> list[Row]:
    took = sorted(float(line[2]) for line in found if line[0] == "accepted")
    slow = _percentile(took, 99)
    all_in = max(float(line[3]) for line in found if line[0] == "accepted")
    ends = sorted((float(line[3]), line[1]) for line in found if line[0] == "end")
    stages = Counter(line[2] for line in found if line[0] == "end")
    spread, jain, looked = _fairness([who for at, who in ends if at > all_in], ends, all_in)
    size = f"{upload / 1e9:.3g} GB"
    return [
        Row(
            f"jobs of {len(members)} clients, {greedy} of them one's",
            f"{stages.total()}: " + ", ".join(f"{n} {stage}" for stage, n in stages.items()),
            f"{jobs} finished",
            stages == {"finished": jobs},
        ),
        Row("time to accept, median", f"{statistics.median(took):.2f} s", "", True),
        Row(
            "time to accept, 99th percentile",
            f"{slow:.2f} s",
            f"<= {MOST_ACCEPT:.0f} s",
            slow <= MOST_ACCEPT,
        ),
        Row(
            f"most that one was served more than another who waited, at {looked} moments",
            f"{spread} jobs",
            f"<= {MOST_SPREAD}",
            spread <= MOST_SPREAD,
        ),
        # Of few jobs each it says little: one and two are 0.9.
        Row(
            "Jain's index of jobs served, halfway",
            f"{jain:.3f}",
            ">= 0.95" if jobs >= 1000 else "",
            jain >= 0.95 or jobs < 1000,
        ),
        Row(
            f"memory of the front at its peak, {size} sent beside",
            f"{peak / 1e6:.0f} MB",
            f"<= {MOST_MEMORY / 1e6:.0f} MB",
            peak <= MOST_MEMORY,
        ),
        Row(f"{size} sent beside the jobs", f"{beside.sent:.0f} s", "", True),
        *(
            Row(
                f"time to answer {what} meanwhile, {len(times)} times",
                f"median {statistics.median(times):.3f} s, most {max(times):.3f} s",
                "most <= 10 s",
                max(times) <= 10,
            )
            for what, times in beside.times.items()
        ),
    ]


def _fairness(served: list[str], ends, all_in: float) -> tuple[int, float, int]:
    """Largest difference between two who wait, Jain's index halfway, how many moments.

    served: whose jobs ended, in that order, from when all had been accepted.
    """
    left = Counter(served)
    done = dict.fromkeys(left, 0)
    spread, jain, looked = 0, 1.0, 0
    for number, who in enumerate(served):
        done[who] += 1
        left[who] -= 1
        waiting = [done[one] for one in done if left[one]]
        if len(waiting) > 1:
            spread, looked = max(spread, max(waiting) - min(waiting)), looked + 1
        if number == len(served) // 2:
            values = list(done.values())
            jain = sum(values) ** 2 / (len(values) * sum(value**2 for value in values))
    return spread, jain, looked


class _Lines:
    """What the crowd's processes have written."""

    def __init__(self, files: list[Path], crowd: list[subprocess.Popen]) -> None:
        self._files, self._crowd = files, crowd
        self.found: list[list[str]] = []

    def wait(self, what: str, count: int, progress: Progress | None = None) -> None:
        """Until there are so many lines of that kind; RuntimeError if a process broke down."""
        while True:
            texts = [file.read_text() for file in self._files if file.exists()]
            whole = [line for text in texts for line in text.splitlines(True) if line[-1] == "\n"]
            self.found = [line.split() for line in whole]
            there = sum(line[0] == what for line in self.found)
            if progress:
                progress.at(there)
            if there >= count:
                return
            if any(process.poll() for process in self._crowd):
                raise RuntimeError("a process of the crowd broke down")
            time.sleep(0.2)


def _start(folder: Path, clients: list[dict], crowd: list[subprocess.Popen]) -> Path:
    """Start a process with these clients; the file of its events."""
    folder.mkdir()
    (folder / "crowd.json").write_text(json.dumps(clients))
    crowd.append(
        subprocess.Popen([sys.executable, "-m", "tests.stress.crowd", str(folder)], cwd=ROOT)
    )
    return folder / "events"


def _key(server: Server, folder: Path) -> Path:
    """A folder with a key that the server knows, and the server's own."""
    known = server.config / "clients"
    known.mkdir(parents=True, exist_ok=True)
    server_keys(server.config)
    client_keys(folder)
    shutil.copy(folder / "client.pub", known / f"{folder.name}.pub")
    shutil.copy(server.config / "server.pub", folder)
    return folder


def _percentile(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)]


def _most_memory(pid: int) -> int:
    """Bytes: the process's peak of resident memory, since it began, as Linux tells it."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the system does not tell the peak of a process's memory")
