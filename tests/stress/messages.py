"""Malformed messages by the ten thousand, a fuzzer that goes by coverage, and pickles."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from plain_client import PlainClient
from servers import ROOT, Server, until

from shared.protocol.request import new_id

from .answers import answers
from .mutating import SHOT, Mutator
from .pickles import pickles
from .running import Progress
from .table import Row

SECONDS = 900.0
WINDOW = 24  # messages unanswered at once
SEED = 47811
MOST_GROWTH = 24 << 20  # bytes of the front's memory, from its first tenth of the messages on


def run(short: bool) -> list[Row]:
    """100,000 messages; short: 3,000, and as little of the rest."""
    count, runs = (3_000, 5_000) if short else (100_000, 200_000)
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as name, contextlib.ExitStack() as out:
        folder = Path(name)
        server = Server(folder / "server").start()
        out.callback(server.stop)
        client = PlainClient(server.address, server.config)
        out.callback(client.close)
        clip = _clip(folder)
        rows = [*_mutants(server, client, count, clip), *pickles(server, client, folder, clip)]
        rows.append(_log(server))
        rows += answers(folder / "answers", 100 if short else 1_000)
    return [*rows, *(_fuzzed(what, runs) for what in ("header", "shot"))]


def _mutants(server: Server, client: PlainClient, count: int, clip: Path) -> list[Row]:
    front = psutil.Process(server.process.pid)
    mutator, progress = Mutator(SEED), Progress("messages", count)
    kinds: dict[str, int] = {}
    unanswered = first = 0
    for number in range(count):
        if number == count // 10:
            first = front.memory_info().rss
        client.socket.send_multipart(mutator.frames())
        unanswered += 1
        if unanswered == WINDOW:
            _receive(client, kinds)
            unanswered -= 1
        progress.at(number + 1)
    for _ in range(unanswered):
        _receive(client, kinds)
    grown = front.memory_info().rss - first
    refused = count - sum(kinds.get(kind, 0) for kind in kinds if kind[0] != "!")
    served = _served(client, clip)
    return [
        Row("malformed messages that were sent, each answered", f"{count:,}", "all", True),
        Row(
            "of these refused, by code",
            f"{refused:,}: "
            + ", ".join(f"{kind[1:]} {kinds[kind]:,}" for kind in sorted(kinds) if kind[0] == "!"),
            "no server_fault",
            "!server_fault" not in kinds,
        ),
        Row(
            "growth of the front's memory meanwhile",
            f"{grown / 2**20:.1f} MiB",
            f"<= {MOST_GROWTH >> 20} MiB",
            grown <= MOST_GROWTH,
        ),
        Row("the next valid job", served, "finished", served == "finished"),
    ]


def _receive(client: PlainClient, kinds: dict[str, int]) -> None:
    """One answer is taken, and counted by its type, or by its code behind a ``!``."""
    while (header := client.receive()[0])["type"] == "job.state" and header["re"] is None:
        pass
    code = header["body"].get("code")
    kind = f"!{code}" if header["type"] == "error" else header["type"]
    kinds[kind] = kinds.get(kind, 0) + 1


def _served(client: PlainClient, clip: Path) -> str:
    """Where a valid job ends."""
    digest = client.upload(clip.read_bytes(), new_id())
    body = job(digest)
    told = client.ask("job.submit", body, json.dumps(SHOT).encode())
    if told[0] != "job.accepted":
        return f"{told[1]}"
    wanted = {"job": body["job"]}
    return until(lambda: (s := client.ask("job.attach", wanted)[1])["ended"] and s["stage"])


def job(digest: str, **more) -> dict:
    """The body of a valid ``job.submit`` with ``SHOT``."""
    return {
        "job": new_id(),
        "engine": "projection",
        "name": "clip",
        "parts": [digest],
        "first": 0,
        "depth": None,
        "start": None,
        "audio": False,
        "untagged_matrix": None,
        "settings": {},
    } | more


def _clip(folder: Path) -> Path:
    from takes import write_clip

    return write_clip(folder / "clip.mp4", len(SHOT["trajectory"]["poses"]), 64, 48)


def _log(server: Server) -> Row:
    log = server.log.read_text(errors="replace")
    found = [line for line in ("Traceback", "could not be answered") if line in log]
    return Row("in the server's log", ", ".join(found) or "no traceback", "none", not found)


def _fuzzed(what: str, runs: int) -> Row:
    """A process of its own: atheris ends the one that it runs in."""
    name = f"coverage-guided inputs to the reader of a {what}"
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.stress.fuzzing", what, folder, str(runs)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    last = (done.stdout + done.stderr).strip().splitlines()
    if done.returncode == 3:
        print(f"  SKIPPED: {last[-1]}", flush=True)
        return Row(name, f"skipped: {last[-1]}", "", True)
    if done.returncode:
        print("\n".join(last[-30:]), flush=True)
    covered = next((line for line in reversed(last) if "cov:" in line), "")
    edges = covered.split("cov:")[-1].split()[:1]
    found = f"{runs:,}, {''.join(edges)} edges, " + ("a crash" if done.returncode else "no crash")
    return Row(name, found, "no crash", not done.returncode)
