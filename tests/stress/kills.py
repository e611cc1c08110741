"""Jobs and random kills -9 over them: of the front, the worker, both, the client."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import time
from collections import Counter

import psutil

from .campaign import Campaign
from .observer import ENDS
from .plan import make_plan
from .running import Progress
from .table import Row

SECONDS = 900.0
SEED = 5
ARTISTS = 4
SLOW = 0.004  # seconds per 64 KiB of the artists' line: sending and fetching take their time
# Of a job whose worker was killed twice, or, which is not to be expected, that was at work when the
# front was killed six times in a row.
MAY_FAIL = ("worker_died",)

KINDS = ("front",) * 8 + ("worker",) * 6 + ("both",) * 2 + ("client",) * 4
EACH = "front", "worker", "client", "both"  # in turn, where there are few
AIMS = ("any", "sending", "queued", "rendering", "keeping", "fetching")
MEAN_SECONDS = 0.9  # of the random wait before a kill
AIM_SECONDS = 4.0  # for the moment that is aimed at
PACE_SECONDS = 2.0  # for the jobs to keep up with the kills, where a machine is slow
AHEAD = 0.06  # share of the jobs that is released beyond what the kills have come to

_PHASES = {  # an artist's stages, in the words of the table
    "sending": "sending",
    "connecting": "sending",
    "uploading": "sending",
    "queued": "queued",
    "rendering": "rendering",
    "cancelling": "rendering",
    "downloading": "fetching",
}


def run(short: bool) -> list[Row]:
    """500 jobs and 200 kills; short: 10 and 5."""
    jobs, kills, artists = (10, 5, 2) if short else (500, 200, ARTISTS)
    began = time.monotonic()
    with Campaign(make_plan(jobs, artists, SEED), SLOW) as campaign:
        killer = Killer(campaign, random.Random(SEED), EACH if short else ())
        progress = Progress("kills", kills)
        while (done := killer.kinds.total()) < kills:
            campaign.release(round(jobs * ((done + 1) / kills + AHEAD)))
            deadline = time.monotonic() + PACE_SECONDS
            while campaign.ended() < jobs * (done / kills - AHEAD) and time.monotonic() < deadline:
                time.sleep(0.1)
            killer.kill()
            progress.at(killer.kinds.total())
        campaign.release(jobs)
        progress = Progress("jobs ended", jobs)
        campaign.wait(150 if short else 400, lambda: progress.at(campaign.ended()))
        took = time.monotonic() - began
        verdict = campaign.judge()
    kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(killer.kinds.items()))
    struck = ", ".join(f"{killer.struck[phase]} {phase}" for phase in AIMS[1:])
    everywhere = all(killer.struck[phase] for phase in AIMS[1:])
    return [
        Row(f"kills -9, seed {SEED}", f"{killer.kinds.total()}: {kinds}", str(kills), True),
        Row(
            "jobs that a kill met, by what was done with them",
            struck,
            "" if short else "each > 0",
            short or everywhere,
        ),
        campaign.alive(),
        *verdict.rows(jobs, MAY_FAIL),
        Row("renderings begun for these jobs", str(verdict.renderings), "", True),
        Row("time in all", f"{took:.0f} s", "", True),
    ]


class Killer:
    """Kills one thing after the other, each at a random moment; ``each`` in turn, or by chance."""

    def __init__(self, campaign: Campaign, dice: random.Random, each: tuple[str, ...]) -> None:
        self._campaign = campaign
        self._dice = dice
        self._each = itertools.cycle(each)
        self.kinds: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()

    def kill(self) -> None:
        """Wait a random time, then for the moment that is aimed at, then kill."""
        kind, aim = next(self._each, None) or self._dice.choice(KINDS), self._dice.choice(AIMS)
        number = self._dice.randrange(len(self._campaign.processes))
        time.sleep(min(self._dice.expovariate(1 / MEAN_SECONDS), 5 * MEAN_SECONDS))
        kept = False
        if aim == "keeping":
            kind = "both" if kind == "both" else "front"  # it is the front that keeps
            kept = self._result_appears()
        elif aim != "any":
            self._some_job_is(aim)
            time.sleep(self._dice.uniform(0, 0.05))
        met = self._stages()
        if not (self._kill_artist(number) if kind == "client" else self._kill_server(kind)):
            return  # there was nothing to kill at that moment
        self.kinds[kind] += 1
        self.struck["keeping"] += kept
        self.struck.update(_PHASES[stage] for stage in met if stage in _PHASES)

    def _kill_server(self, kind: str) -> bool:
        """Whether all that was to die was alive."""
        front = self._campaign.server.process
        workers = self._workers(front.pid) if kind in ("worker", "both") else []
        if front.poll() is not None or (kind != "front" and not workers):
            return False
        for worker in workers:
            worker.kill()
        if kind in ("front", "both"):
            front.kill()
        return True

    def _workers(self, front: int) -> list[psutil.Process]:
        """All that the front has, once it has one."""
        deadline = time.monotonic() + AIM_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(psutil.Error):
                if workers := psutil.Process(front).children():
                    return workers
            time.sleep(0.02)
        return []

    def _kill_artist(self, number: int) -> bool:
        process = self._campaign.processes[number]
        if process.poll() is not None:  # all of its jobs have ended
            return False
        process.kill()
        process.wait()
        time.sleep(self._dice.uniform(0, 0.5))
        self._campaign.start_artist(number)
        return True

    def _stages(self) -> list[str]:
        """The stage of each job that has not ended: as its observer has it, else its artist."""
        campaign = self._campaign
        there = {job: stage for one in campaign.observers for job, stage in one.stages.items()}
        return [
            there[job] if there.get(job) in ("queued", "rendering", "cancelling") else stage
            for job, stage in campaign.stages().items()
            if stage not in ENDS
        ]

    def _some_job_is(self, phase: str) -> bool:
        deadline = time.monotonic() + AIM_SECONDS
        while time.monotonic() < deadline:
            if phase in map(_PHASES.get, self._stages()):
                return True
            time.sleep(0.01)
        return False

    def _result_appears(self) -> bool:
        """Until a result's folder has its name: the journal does not know of it yet."""
        results = self._campaign.server.state / "results"
        before = _folders(results)
        deadline = time.monotonic() + AIM_SECONDS
        while time.monotonic() < deadline:
            if _folders(results) - before:
                return True
            time.sleep(0.001)
        return False


def _folders(results) -> set[str]:
    found = set()
    with contextlib.suppress(FileNotFoundError):
        for owner in os.scandir(results):
            found.update(entry.path for entry in os.scandir(owner))
    return found
