"""Hostile and broken media files: each ends in a clear error or a take, within bounds.

Every file is read in a process of its own exactly as a worker reads it, and a share of them goes
through a real server as jobs. Nothing that was not sent may be read: the playlists and references
lead to a real clip, to a server that counts its visitors and to a pipe that would hang.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ..running import Progress
from ..table import Row
from .bombs import bombs, others
from .control import NAMES, lead_there
from .damage import damaged
from .depth import depths
from .elsewhere import Elsewhere, leading
from .jobs import Ended, as_jobs
from .lies import lies
from .parts import Case
from .reading import FILE_SECONDS, MEGABYTES, WHOLE
from .seeds import SECRET, write_seeds

SECONDS = 900.0
SEED = 11
DAMAGED = 200
SHORT = {"damaged": 9, "lies": 10, "bombs": 5, "others": 4, "leads": 12, "depths": 4}
SHARE = 5  # one file in so many is sent to a server as well
CODES = {"clip_unreadable", "clip_truncated", "depth", "depth_file"}


@dataclass(frozen=True)
class _Reads:
    """Of what was not sent. opened: None where there is no strace."""

    requests: int
    shown: int
    opened: int | None


def run(short: bool) -> list[Row]:
    """Some 600 files; short: some 40."""
    folder = Path(tempfile.mkdtemp(prefix="recam-media-"))
    try:
        with Elsewhere(folder / "elsewhere") as there:
            return _run(folder, there, short)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: Path, there: Elsewhere, short: bool) -> list[Row]:
    (files := folder / "files").mkdir()
    (takes := folder / "takes").mkdir()
    (made := folder / "seeds").mkdir()
    seeds = write_seeds(made)
    (takes / WHOLE).write_bytes(seeds["h264.mp4"])
    whole = [Case(f"whole-{name}", data) for name, data in seeds.items()]
    leads = list(leading(there))
    found, sent = [], []
    with _reader(takes, folder / "opened.txt") as read:
        unharmed = [read(_put(files, case)) for case in whole[:: 4 if short else 1]]
        progress = Progress("files", 44 if short else 591)
        for number, case in enumerate(_corpus(seeds, leads, short)):
            file = _put(files, case)
            found.append(read(file) | {"refused": case.refused})
            if number % (3 if short else SHARE) == 1:
                sent.append(file)
            else:
                file.unlink()
            progress.at(number + 1)
    jobs = as_jobs(folder / "server", sent, folder / "out", takes / WHOLE)
    shown = sum(_shows_secret(result["take"]) for result in found if result["end"] == "result")
    shown += sum(_shows_secret(job.take) for job in jobs if job.take)
    reads = _Reads(len(there.requests), shown, _opened(folder / "opened.txt", there))
    return [*_read_rows(found, unharmed, reads), *_job_rows(jobs), _control(files, leads)]


def _corpus(seeds: dict[str, bytes], leads: list[Case], short: bool) -> Iterator[Case]:
    """One after the other: they would not fit into memory together."""
    kinds = {
        "damaged": damaged(seeds, SHORT["damaged"] if short else DAMAGED, SEED),
        "lies": lies(seeds),
        "bombs": islice(bombs(seeds), SHORT["bombs"] if short else None),
        "others": others(),
        "leads": leads,
        "depths": depths(),
    }
    for name, made in kinds.items():
        yield from random.Random(SEED).sample(list(made), SHORT[name]) if short else made


def _put(folder: Path, case: Case) -> Path:
    file = folder / case.name
    file.write_bytes(case.data)
    return file


@contextlib.contextmanager
def _reader(takes: Path, opened: Path) -> Iterator:
    """The process that reads, watched by strace where that is; a function from file to finding."""
    command = [sys.executable, "-m", "tests.stress.media.reading", str(takes)]
    if strace := shutil.which("strace"):
        calls = "trace=open,openat,openat2,connect"
        command = [strace, "-f", "-qq", "--seccomp-bpf", "-e", calls, "-o", str(opened), *command]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, text=True, cwd=Path(__file__).parents[3], **pipes)

    def read(file: Path) -> dict:
        process.stdin.write(f"{file}\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    with process:
        yield read
        process.stdin.close()


def _opened(calls: Path, there: Elsewhere) -> int | None:
    """How often the reading opened, or tried to, what was not sent, or called an address."""
    if not calls.exists():
        return None
    lines = calls.read_text(errors="replace").splitlines()
    return sum(f"{there.folder.name}/" in line or "sa_family=AF_INET" in line for line in lines)


def _shows_secret(take: str | Path) -> bool:
    from inference_server.video.reader import Reader

    picture = next(iter(Reader(take)))
    return bool(abs(picture.reshape(-1, 3).mean(0) - SECRET).max() < 25)


def _read_rows(found: list[dict], unharmed: list[dict], reads: _Reads) -> list[Row]:
    ends = Counter(result["end"] for result in found)
    codes = Counter(result["code"] for result in found if result["end"] == "error")
    told = ", ".join(f"{count} {code}" for code, count in codes.most_common())
    bad = [r["name"] for r in found if r["end"] not in ("error", "result") or r["status"]]
    strange = [r["name"] for r in found if r["end"] == "error" and r["code"] not in CODES]
    taken = [r["name"] for r in found if r["refused"] and r["end"] == "result"]
    lost = [result["name"] for result in unharmed if result["end"] != "result"]
    for name in (*bad, *strange, *taken, *lost):
        print(f"  not as it should be: {name}")
    traced = "" if reads.opened is None else f", {reads.opened} opened or called (strace)"
    return [
        Row(
            f"hostile or broken files read, seed {SEED}",
            f"{len(found)}: {ends['error']} refused ({told}), {ends['result']} re-shot",
            "each the one or the other",
            ends["error"] + ends["result"] == len(found) and not strange,
        ),
        Row("files that must be refused, and were not", str(len(taken)), "0", not taken),
        Row("reading processes that crashed or hung", str(len(bad)), "0", not bad),
        _most("longest for one file", found, "seconds", "s", FILE_SECONDS),
        _most("most memory for one file", found, "megabytes", "MB", MEGABYTES),
        Row(
            "reads of what was not sent",
            f"{reads.requests} requests, {reads.shown} takes with its pictures{traced}",
            "0",
            not (reads.requests or reads.shown or reads.opened),
        ),
        Row(
            "whole files of the same kinds refused",
            f"{len(lost)} of {len(unharmed)}",
            "0",
            not lost,
        ),
    ]


def _most(what: str, found: list[dict], key: str, unit: str, bound: float) -> Row:
    most = max(found, key=lambda result: result[key])
    figure = f"{most[key]:.1f} {unit} ({most['name']})"
    return Row(what, figure, f"≤ {bound:.0f} {unit}", most[key] <= bound)


def _job_rows(jobs: list[Ended]) -> list[Row]:
    odd = [job for job in jobs if not job.fine]
    for job in odd:
        print(f"  not as it should be: {job.name}: {job.what}")
    died = sum(job.code in ("worker_died", "worker_hung") for job in jobs)
    finished = sum(bool(job.take) for job in jobs)
    figure = f"{len(jobs)}: {finished} finished, {len(jobs) - finished} failed, the file named"
    return [
        Row("of these as jobs of a real server", figure, "each the one or the other", not odd),
        Row("workers that died or hung of it", str(died), "0", not died),
    ]


def _control(folder: Path, leads: list[Case]) -> Row:
    there = lead_there(folder, leads)
    figure = f"{there} of {len(NAMES)} show it"
    what = "for comparison: FFmpeg without these rules"
    return Row(what, figure, f"{len(NAMES)}", there == len(NAMES))
