"""How soon the front welcomes a client, and how soon a cancel takes effect."""

from __future__ import annotations

import time

import numpy as np

from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.client.client import Client
from shared.protocol.request import JobRequest

from .clips import RATE, write_clip
from .figures import TIMES, Figure, middle
from .serving import Serving, serving

SIZE, SECONDS = (1280, 720), 10


def run() -> list[Figure]:
    """From the start of the process to `welcome`; from `cancel` to the job's end, at 720p."""
    starts, cancels = [], []
    for _ in range(TIMES):
        with serving() as server:
            starts.append(server.to_welcome)
    with serving() as server, Client() as client:
        write_clip(server.folder / "clip.mp4", *SIZE, SECONDS)
        for _ in range(TIMES):
            cancels.append(_cancel(server, client))
    return [
        Figure("front, from start to welcome", middle(starts), "s", most=1),
        Figure("cancel while 720p is rendered, to the job's end", middle(cancels), "s", most=1),
    ]


def _cancel(server: Serving, client: Client) -> float:
    frames = int(SECONDS * RATE)
    lens = np.array(lens_from_focal(35, 36, SIZE[0] / SIZE[1]))
    request = JobRequest(Shot(make_move("arc_right", frames, RATE, lens)), (), engine="projection")
    job = client.shoot(request, [server.folder / "clip.mp4"], server.folder / "out.mp4")
    while not (job.state.stage == "rendering" and job.state.step > 5):
        if job.wait(0.01).ended:
            raise RuntimeError(f"the job ended as {job.state}")
    began = time.perf_counter()
    job.cancel()
    if job.wait(20).stage != "cancelled":
        raise RuntimeError(f"the job was not cancelled: {job.state}")
    return time.perf_counter() - began
