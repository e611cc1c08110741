"""How much a transfer that breaks off sends again: bytes counted at a proxy."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np
from proxy import Proxy
from servers import ROOT, Server

from shared.protocol.limits import CHUNK_BYTES, CREDIT

from .running import Progress
from .table import Row

SEED = 7
WINDOW = CREDIT * CHUNK_BYTES  # bytes
# Whoever sends has at most CREDIT chunks on their way that the other side has not written down: one
# that has half arrived is one of these, and so is one that is being written. What comes on top is
# the headers and seals of these, and the second connection's handshake and greeting.
MOST = 1.01 * WINDOW
WIDTH, HEIGHT = 640, 360  # of noise: a take of 160 KB for each frame
WAIT = 120.0
MIB = 2**20
KILL = "kill -9 of the client"
HALF = "a half that is swallowed"  # until the heartbeat finds out, after 15 seconds
KINDS = "FIN", "RST", KILL, HALF


def run(short: bool) -> list[Row]:
    """Clips sent and takes fetched; each breaks off once, by FIN, by RST, by kill -9, or half."""
    times, frames, kinds = (1, 32, KINDS[1:3]) if short else (5, 60, KINDS)
    dice = random.Random(SEED)
    progress = Progress("broken transfers", 2 * sum(_times(kind, times) for kind in kinds))
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as name:
        folder = Path(name)
        server = Server(folder / "server").start()
        try:
            with Proxy(server.address) as proxy:
                return _rows(server, proxy, folder, times, frames, kinds, dice, progress)
        finally:
            server.stop()


def _rows(server, proxy, folder: Path, times, frames, kinds, dice, progress) -> list[Row]:
    job = _big_take(server, folder, frames)
    take = folder / "take.mp4"
    fetched = server.run("fetch", job, "-o", take)
    assert fetched.returncode == 0, fetched.stderr
    size = take.stat().st_size
    transfers: dict[str, tuple[str, int, Callable[[int], list[str]]]] = {
        "clip sent": ("sent", 16 * MIB, lambda number: ["send", _noise(folder, number)]),
        "take fetched": ("received", size, lambda number: ["fetch", job, folder / f"{number}.mp4"]),
    }
    rows, number, done = [], 0, 0
    for what, (way, size, arguments) in transfers.items():
        plain = _bytes(server, proxy, way, arguments(number), None, "")
        for kind in kinds:
            again = []
            for _ in range(_times(kind, times)):
                number += 1
                at = dice.randrange(size // 8, size * 7 // 8)
                again.append(_bytes(server, proxy, way, arguments(number), at, kind) - plain)
                done += 1
                progress.at(done)
            figure = f"most {max(again) / MIB:.2f} MiB, median {median(again) / MIB:.2f} MiB"
            told = f"{what} ({size / MIB:.0f} MiB), {len(again)} times broken off by {kind}"
            rows.append(
                Row(f"{told}: sent again", figure, f"<= {MOST / MIB:.2f} MiB", max(again) <= MOST)
            )
    return rows


def _bytes(server, proxy, way: str, arguments: list, at: int | None, kind: str) -> int:
    """How many bytes a transfer takes that breaks off after ``at`` bytes, or not at all."""
    before = getattr(proxy, way)
    if kind in ("FIN", "RST"):
        proxy.reset = kind == "RST"
        setattr(proxy, "cut_after" if way == "sent" else "cut_received", at)
    process = _transfer(server, proxy, arguments)
    if kind in (KILL, HALF):
        while getattr(proxy, way) - before < at:
            assert process.poll() is None, "the transfer ended before it was to be broken off"
            time.sleep(0.002)
    if kind == HALF:
        proxy.links[-1].swallow = way
    if kind == KILL:
        process.kill()
        process.wait()
        process = _transfer(server, proxy, arguments)
    assert process.wait(WAIT) == 0, f"{arguments} did not go through"
    assert proxy.cut_after is None and proxy.cut_received is None, "nothing was cut"
    return getattr(proxy, way) - before


def _times(kind: str, times: int) -> int:
    return 1 if kind == HALF else times


def _transfer(server: Server, proxy: Proxy, arguments: list) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.stress.transfer", *map(str, arguments)],
        env=server.environment | {"RECAM_SERVER": proxy.address},
        cwd=ROOT,
    )


def _noise(folder: Path, number: int) -> Path:
    file = folder / f"noise-{number}"
    file.write_bytes(os.urandom(16 * MIB))
    return file


def _big_take(server: Server, folder: Path, frames: int) -> str:
    """The id of a finished job whose take is large: noise cannot be compressed."""
    from inference_server.video.writer import Writer

    clip, pictures = folder / "noise.mp4", np.random.default_rng(SEED)
    with Writer(clip, WIDTH, HEIGHT, Fraction(25)) as writer:
        for _ in range(frames):
            writer.write(pictures.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    options = "--camera", "zoom_in", "--engine", "projection", "--detach", "-o", folder / "-.mp4"
    sent = server.run("submit", clip, *options)
    assert sent.returncode == 0, sent.stderr
    return sent.stdout.split()[-1]
