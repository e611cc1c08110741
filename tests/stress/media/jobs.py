"""The same files as an artist sends them: uploaded to a real server, as jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import Server

from .seeds import FRAMES

AT_ONCE = 6
CODES = ("clip_unreadable", "clip_truncated", "depth", "depth_file")


@dataclass
class Ended:
    """One job's end: a take, or an error's code and sentence."""

    name: str
    what: str
    take: Path | None = None
    code: str = ""
    fine: bool = False


def as_jobs(folder: Path, files: list[Path], out: Path, whole: Path) -> list[Ended]:
    """Send every file, some at once; a depth file goes with the clip ``whole``."""
    from shared.client.client import Client
    from shared.errors import RecamError

    server, ended = Server(folder).start(), []
    try:
        with _user_of(server), Client(server.address) as client:
            for begin in range(0, len(files), AT_ONCE):
                some = files[begin : begin + AT_ONCE]
                sent = [(file, _send(client, file, out, whole)) for file in some]
                for file, job in sent:
                    try:
                        ended.append(_end(file, job, out / f"{file.name}.mp4"))
                    except RecamError as error:
                        ended.append(Ended(file.name, f"{error.code}: {error}", None, error.code))
    finally:
        server.stop()
    return ended


def _send(client, file: Path, out: Path, whole: Path):
    from takes import request

    beside = {"depth": file} if file.suffix == ".safetensors" else {}
    clip = whole if beside else file
    return client.shoot(request(FRAMES, name=file.name), [clip], out / f"{file.name}.mp4", **beside)


def _end(file: Path, job, take: Path) -> Ended:
    state = job.wait(120)
    if state.stage == "finished":
        return Ended(file.name, "finished", take, fine=take.exists())
    error = state.error
    if error is None:
        return Ended(file.name, f"{state.stage} without a reason")
    about = file.name in error.sentence or "depth file" in error.sentence
    fine = error.code in CODES and about and bool(error.hint)
    return Ended(file.name, f"{error.code}: {error.sentence}", None, error.code, fine)


@contextmanager
def _user_of(server: Server) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(server.environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
