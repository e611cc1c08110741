"""A client process that may be killed: sends its jobs, follows them, fetches their takes.

``python -m tests.stress.artist FOLDER ADDRESS``. Started again it takes up what it had begun. The
folder holds ``plan.json``, ``clips``, ``released`` (how many jobs it may have begun) and gets
``ledger`` (a line for each job's new stage, ``end`` before the last) and ``takes``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from shared.client.client import Client
from shared.client.job import RemoteJob
from shared.errors import RecamError

from .plan import Job, load

AT_ONCE = 8
PATIENCE = 60.0


def main(folder: Path, address: str) -> None:
    """Until every job of the plan has ended."""
    plan = {job.id: job for job in load(folder / "plan.json")}
    begun, ended = read_ledger(folder)
    key = (folder / "server.pub").read_text()
    with (folder / "ledger").open("a", buffering=1) as ledger:
        ledger.write("\n")  # ends a line that a kill has torn
        while len(ended) < len(plan):
            try:
                with Client(address, key, PATIENCE) as client:
                    _work(client, plan, begun, ended, folder, ledger)
            except RecamError as error:  # as an artist does: look, and try again
                ledger.write(f"# {error.code}\n")
                time.sleep(0.5)


def read_ledger(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The last stage of each job that was begun, and the end of each that has ended."""
    begun, ended = {}, {}
    file = folder / "ledger"
    for line in file.read_text().splitlines() if file.exists() else ():
        match line.split():
            case [job, "end", stage]:
                ended[job] = begun[job] = stage
            case [job, stage] if job != "#":
                begun[job] = stage
    return begun, ended


def _work(client: Client, plan: dict[str, Job], begun, ended, folder: Path, ledger) -> None:
    at_work: dict[str, RemoteJob] = {}

    def note(job: str, stage: str) -> None:
        if begun.get(job) != stage:
            begun[job] = stage
            ledger.write(f"{job} {stage}\n")

    def send(job: str) -> RemoteJob:
        clip = folder / f"{job}.clip.mp4"
        if not clip.exists():
            plan[job].write_clip(folder / "clips", clip.with_suffix(".new")).rename(clip)
        note(job, "sending")
        return client.shoot(plan[job].request(), [clip], _out(folder, job))

    while len(ended) < len(plan):
        waiting = [job for job in plan if job not in ended and job not in at_work]
        may = int((folder / "released").read_text() or 0) - len(ended) - len(at_work)
        for job in waiting[: max(0, min(AT_ONCE - len(at_work), may))]:
            known = job in begun
            at_work[job] = client.attach(job, _out(folder, job)) if known else send(job)
        for job, remote in list(at_work.items()):
            state = remote.state
            if not state.ended:
                note(job, state.stage)
                if state.stage == plan[job].cancel:
                    remote.cancel()
                continue
            if state.stage == "failed":
                there = _stage_there(client, job)
                if there != "failed":  # it was the way there that failed
                    ledger.write(f"# {state.error.code}\n")
                    at_work[job] = client.attach(job, _out(folder, job)) if there else send(job)
                    time.sleep(0.1)
                    continue
            del at_work[job]
            (folder / f"{job}.clip.mp4").unlink(missing_ok=True)
            ledger.write(f"{job} end {state.stage}\n")
            ended[job] = state.stage
            if state.stage == "finished" and plan[job].delete:
                client.delivered(job).result(PATIENCE)
                ledger.write(f"# delivered {job}\n")
        time.sleep(0.03)


def _stage_there(client: Client, job: str) -> str:
    """The job's stage on the server; empty where the server does not have it."""
    try:
        return client.ask("job.attach", {"job": job}, PATIENCE).result()["stage"]
    except RecamError as error:
        if error.code == "no_such_job":
            return ""
        raise


def _out(folder: Path, job: str) -> Path:
    return folder / "takes" / f"{job}.mp4"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
