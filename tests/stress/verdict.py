"""After a campaign: did each job end exactly once, and is each take the one it must be?"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from shared.takes import take_path

from .artist import read_ledger
from .observer import ENDS, Observer
from .plan import Job
from .table import Row

_WATCH = f"""
CREATE TABLE watched (job TEXT, stage TEXT);
CREATE TRIGGER watch AFTER UPDATE OF stage ON jobs WHEN NEW.stage IN {(*ENDS, "rendering")!r}
BEGIN INSERT INTO watched VALUES (NEW.id, NEW.stage); END;
"""


def watch_ends(state: Path) -> None:
    """Have the journal itself write down each time that a job ends; before the server starts."""
    from inference_server.front.journal.journal import Journal

    state.mkdir(parents=True, exist_ok=True)
    Journal(state / "journal.sqlite").close()
    with closing(sqlite3.connect(state / "journal.sqlite")) as journal:
        journal.executescript(_WATCH)


@dataclass
class Verdict:
    """Jobs by what was found of them; ``wrong`` has a line for each of the bad ones."""

    stages: Counter = field(default_factory=Counter)
    failures: Counter = field(default_factory=Counter)
    lost: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)
    corrupt: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    takes: int = 0
    deleted: int = 0
    renderings: int = 0
    wrong: list[str] = field(default_factory=list)

    def rows(self, count: int, may_fail: tuple[str, ...] = ()) -> list[Row]:
        """For the table; ``may_fail`` has the codes of errors that a job may have ended with."""
        ends = ", ".join(f"{number} {stage}" for stage, number in sorted(self.stages.items()))
        told = ", ".join(f"{number} {code}" for code, number in self.failures.items())
        once = sum(self.stages.values()) - len(self.doubled)
        return [
            Row("jobs that ended exactly once", f"{once}: {ends}", f"{count}", once == count),
            *(
                Row(what, str(len(jobs)), "0", not jobs)
                for what, jobs in (
                    ("jobs lost", self.lost),
                    ("jobs doubled", self.doubled),
                    ("takes corrupt", self.corrupt),
                )
            ),
            Row(
                "takes fetched, verified, decoded, equal to those made in peace",
                str(self.takes),
                "all",
                self.takes > 0 and not self.corrupt,
            ),
            Row(
                "jobs deleted on delivery, not sooner",
                f"{self.deleted}, {len(self.kept)} kept all the same",
                "0 kept",
                not self.kept,
            ),
            Row(
                "reasons of failed jobs",
                told or "none failed",
                f"only {', '.join(may_fail)}" if may_fail else "none",
                set(self.failures) <= set(may_fail),
            ),
        ]


def judge(
    plan: list[Job],
    state: Path,
    artists: list[Path],
    observers: list[Observer],
    references: dict[tuple[str, int], str],
) -> Verdict:
    """Compare journal, observers, artists' ledgers and takes; the server has ended."""
    found = Verdict()
    with closing(sqlite3.connect(state / "journal.sqlite")) as journal:
        journal.row_factory = sqlite3.Row
        entries = journal.execute("SELECT * FROM jobs").fetchall()
        watched = [tuple(row) for row in journal.execute("SELECT job, stage FROM watched")]
    ends = Counter(job for job, stage in watched if stage in ENDS)
    found.renderings = len(watched) - ends.total()
    in_journal = Counter(entry["id"] for entry in entries)
    by_id = {entry["id"]: entry for entry in entries}

    def wrong(kind: set[str], job: str, why: str) -> None:
        kind.add(job)
        found.wrong.append(f"{job}: {why}")

    for unknown in set(in_journal) - {job.id for job in plan}:
        wrong(found.doubled, unknown, "nobody sent it")
    for job in plan:
        watcher, entry = observers[job.artist], by_id.get(job.id)
        if entry is None or entry["stage"] not in ENDS:
            wrong(found.lost, job.id, f"the journal has it as {entry and entry['stage']}")
            continue
        stage = entry["stage"]
        found.stages[stage] += 1
        told = read_ledger(artists[job.artist])[1].get(job.id)
        if told != stage:
            wrong(found.lost, job.id, f"it is {stage}, its artist has it as {told}")
        seen = {end[0] for end in watcher.ends[job.id]}
        if seen != {stage}:
            wrong(found.lost, job.id, f"it is {stage}, its observer saw {seen}")
        times = in_journal[job.id], ends[job.id], len(watcher.ends[job.id])
        if max(*times, watcher.told[job.id]) > 1 or job.id in watcher.revived:
            wrong(
                found.doubled,
                job.id,
                f"entries, ends, ends seen: {times}; {watcher.told[job.id]} told",
            )
        if stage == "failed":
            found.failures[json.loads(entry["error"])["code"]] += 1
        if stage == "finished":
            takes = json.loads(entry["result"])["takes"]
            out = artists[job.artist] / "takes" / f"{job.id}.mp4"
            if why := _takes_wrong(job, takes, out, references[job.clip, job.angle]):
                wrong(found.corrupt, job.id, why)
            found.takes += len(takes)
    for job in [job for folder in artists for job in _delivered(folder)]:
        found.deleted += 1
        if left := [*state.glob(f"results/*/{job}/*.mp4")]:
            wrong(found.kept, job, f"{len(left)} takes were not deleted when they were delivered")
    return found


def _delivered(artist: Path) -> list[str]:
    """Jobs to be deleted of which the artist knows that the server knows it has them."""
    lines = (artist / "ledger").read_text().splitlines()
    return [line.split()[2] for line in lines if line.startswith("# delivered ")]


def _takes_wrong(job: Job, takes: list[dict], out: Path, reference: str) -> str:
    """What is wrong with the takes as they were fetched; empty where nothing is."""
    import av

    if len(takes) != job.takes:
        return f"{len(takes)} takes instead of {job.takes}"
    for number, take in enumerate(takes):
        file = take_path(out, number)
        if not file.is_file():
            return f"take {number} was not fetched"
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if digest != take["sha256"]:
            return f"take {number} is not what the server told"
        with av.open(str(file)) as video:
            frames = sum(1 for _ in video.decode(video=0))
        if frames != job.frames:
            return f"take {number} has {frames} frames instead of {job.frames}"
        if digest != reference:
            return f"take {number} is not the one made without kills"
    return ""
