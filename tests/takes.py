"""Clips, requests and users for tests that need a server; for the server's own Python."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from servers import Server, until

from inference_server.video.writer import Writer
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
from shared.client.job import RemoteJob
from shared.protocol.keys import client_keys
from shared.protocol.request import JobRequest

LONG = 250  # frames of 640x360: some ten seconds of work, for jobs that are interrupted
SHORT = 8


def write_clip(path: Path, frames: int, width: int, height: int) -> Path:
    """A clip of grey blocks that move."""
    blocks = np.random.default_rng(1).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3))
    picture = blocks.astype(np.uint8).repeat(8, 0).repeat(8, 1)
    with Writer(path, width, height, Fraction(25)) as writer:
        for number in range(frames):
            writer.write(np.roll(picture, number, 1)[:height, :width])
    return path


def request(frames: int, **more) -> JobRequest:
    """A quarter orbit over that many frames, ready for ``Client.shoot``."""
    lens = lens_from_focal(35.0, 36.0, 16 / 9)
    shot = Shot(make_move("orbit", frames, Fraction(25), lens, values={"angle": 20}))
    return JobRequest(shot=shot, parts=(), **more)


def rendering(job: RemoteJob) -> RemoteJob:
    """The job, once its first frames are rendered."""
    until(lambda: job.state.ended or (job.state.stage == "rendering" and job.state.step))
    assert job.state.stage == "rendering", job.state
    return job


@contextmanager
def another_user(server: Server, folder: Path, monkeypatch, known: bool = True):
    """Inside, this process is another user, with keys in ``folder``, of the same server."""
    folder.mkdir()
    shutil.copy(server.config / "server.pub", folder)
    client_keys(folder)
    (server.config / "clients").mkdir(exist_ok=True)
    if known:
        shutil.copy(folder / "client.pub", server.config / "clients" / f"{folder.name}.pub")
    with monkeypatch.context() as patch:
        patch.setenv("RECAM_CONFIG", str(folder))
        yield (server.config / "server.pub").read_text()
