"""Upload and download with keys on, through the real client and server, against bare ZeroMQ."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from inference_server.front.journal.journal import Journal
from inference_server.front.storage.store import Store
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.client.client import Client
from shared.protocol.keys import client_keys
from shared.protocol.limits import CHUNK_BYTES
from shared.protocol.request import JobRequest

from .bare import bare_peer, transfer
from .figures import TIMES, Figure, middle
from .serving import serving

MIB = 512  # the size of the file that is sent and fetched
MB = 1e6


def run() -> list[Figure]:
    """Rates of upload and download, each beside bare ZeroMQ's in the same minute."""
    size = MIB * CHUNK_BYTES
    job = JobRequest(_any_shot(), ("0" * 64,))
    up, down, bare_up, bare_down, echo, disk = [], [], [], [], [], []
    with bare_peer() as bare, serving(lambda state: _put_result(state, job, size)) as server:
        clip, out = server.folder / "clip", server.folder / "result.mp4"
        with Client() as client:
            for _ in range(TIMES):
                # Other content each time, or it would be held.
                disk.append(size / MB / _seconds(_write, clip, os.urandom(size)))
                bare_up.append(size / MB / transfer(bare, b"up", MIB))
                up.append(size / MB / _seconds(_send, client, clip))
                bare_down.append(size / MB / transfer(bare, b"down", MIB))
                down.append(size / MB / _seconds(_fetch, client, job.job, out))
                echo.append(size / MB / transfer(bare, b"echo", MIB))
                # Each round finds the memory that the files of the one before took.
                out.unlink()
                shutil.rmtree(server.folder / "state" / "clips")
    return [
        Figure("upload", middle(up), "MB/s", least=150),
        *_against("upload", up, "bare ZeroMQ, chunks one way", bare_up),
        Figure("download", middle(down), "MB/s", least=150),
        *_against("download", down, "bare ZeroMQ, chunks one way", bare_down),
        Figure("a new file of that size, written and flushed", middle(disk), "MB/s"),
        Figure("bare ZeroMQ echo, each way", middle(echo), "MB/s"),
        *_against("upload", up, "bare echo, chunks both ways", echo, least=60),
        *_against("download", down, "bare echo, chunks both ways", echo, least=60),
    ]


def _against(name: str, ours: list[float], what: str, theirs: list[float], least=None):
    share = middle([100 * mine / bare for mine, bare in zip(ours, theirs, strict=True)])
    beside = f"{middle(theirs):.0f} MB/s there"
    yield Figure(f"{name} / {what}", share, "%", least=least, beside=beside)


def _seconds(work, *arguments) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def _send(client: Client, clip: Path) -> None:
    client.upload(clip).result(120)


def _write(file: Path, content: bytes) -> None:
    with file.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _fetch(client: Client, job: str, out: Path) -> None:
    state = client.attach(job, out).wait(120)
    if state.stage != "finished":
        raise RuntimeError(f"the download ended as {state}")


def _put_result(state: Path, request: JobRequest, size: int) -> None:
    """A finished job with a result of random bytes: no clip's rendering takes long enough."""
    owner = client_keys().public.decode()
    file = Store(state).result(owner, request.job, 0)
    file.parent.mkdir(parents=True)
    data = os.urandom(size)
    file.write_bytes(data)
    journal = Journal(state / "journal.sqlite")
    entry = journal.accept(owner, request, request.shot_data())
    take = {"size": size, "sha256": hashlib.sha256(data).hexdigest(), "frames": 1}
    take |= {"width": 16, "height": 16}
    journal.finish(entry, {"takes": [take], "remarks": [], "seconds": 1.0})
    journal.close()


def _any_shot() -> Shot:
    return Shot(make_move("static", 1, Fraction(25), np.array(lens_from_focal(35, 36, 16 / 9))))
