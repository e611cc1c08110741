"""A disk that is full, at each moment: what was accepted ends, and goes on once there is room."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest
from held_engine import HeldCode
from plain_client import PlainClient
from servers import until
from takes import SHORT, request

from shared.client.client import Client
from shared.protocol.request import new_id

WAIT = 60.0
SMALL = 'mount -t tmpfs -o size=12m none "$0" && exec "$@"'

# Whoever has rendered waits before saying so.
HOLDING_BACK = """

_render = render


def render(order, releases, pipes):
    result = _render(order, releases, pipes)
    pipes.say("progress", job=order["job"], step=0, steps=0, doing="done", remarks=[], picture=None)
    while not Path(__file__).with_name("go").exists():
        time.sleep(0.02)
    return result
"""


@pytest.fixture
def code(tmp_path):
    return HeldCode(tmp_path / "code")


@pytest.fixture
def small(server, code):
    """The state folder's disk, of 12 MB, of a server of its own; ``fill`` and ``empty`` it."""
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL]
    inside.append(str(server.state))
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a disk of their own")
    server.stop()
    server.inside = inside
    return Disk(server.start(code=code.folder))


class Disk:
    """Of a running server, as it sees it."""

    def __init__(self, server) -> None:
        self._filler = Path(f"/proc/{server.process.pid}/root{server.state}/filler")

    def fill(self) -> None:
        """To the last byte."""
        for size in (1 << 20, 4096, 1):
            try:
                with self._filler.open("ab", buffering=0) as file:
                    while file.write(b"x" * size):
                        pass
            except OSError:
                continue

    def empty(self) -> None:
        """There is room again."""
        self._filler.unlink()


def test_what_cannot_be_kept_is_refused_and_accepted_once_there_is_room(server, small, short_clip):
    client = PlainClient(server.address, server.config)
    client.ask("hello", {"protocol": 1, "client": "plain"})
    clip = client.upload(short_clip.read_bytes(), new_id())
    asked = request(SHORT, job=new_id(), name="harbour")
    body = asked.to_body() | {"parts": [clip]}
    small.fill()
    kind, told, _ = client.ask("job.submit", body, asked.shot_data())
    assert (kind, told["code"]) == ("error", "server_disk"), told
    assert client.ask("job.attach", {"job": asked.job})[1]["code"] == "no_such_job"
    small.empty()
    assert client.ask("job.submit", body, asked.shot_data())[0] == "job.accepted"
    until(lambda: client.ask("job.attach", {"job": asked.job})[1]["stage"] == "finished")
    client.close()


def test_a_disk_that_fills_up_at_work_fails_that_job_alone(
    server, small, code, short_clip, tmp_path
):
    with Client(server.address, patience=30) as client:
        asked = request(SHORT, engine="projection", settings={"prompt": "hold"})
        job = client.shoot(asked, [short_clip], tmp_path / "a.mp4")
        until(lambda: job.state.doing == "holding")
        behind = client.shoot(request(SHORT, engine="projection"), [short_clip], tmp_path / "b.mp4")
        until(lambda: behind.state.stage == "queued")
        small.fill()
        code.let_go()
        # Its end is not told before the journal has it, which the disk may not take either.
        until(lambda: job.state.error or client.server(30)["trouble"])
        small.empty()
        error = job.wait(WAIT).error
        assert error.code in ("result_unwritable", "server_disk"), error
        assert behind.wait(WAIT).stage in ("finished", "failed")
        again = client.shoot(request(SHORT), [short_clip], tmp_path / "c.mp4")
        assert again.wait(WAIT).stage == "finished"
        assert client.server()["trouble"] == ""


def test_an_end_that_the_journal_does_not_take_is_told_once_it_does(
    server, code, short_clip, tmp_path
):
    resource = pytest.importorskip("resource")
    server.stop()
    with (code.folder / "inference_server/worker/rendering.py").open("a") as rendering:
        rendering.write(HOLDING_BACK)
    with Client(server.start(code=code.folder).address, patience=30) as client:
        job = client.shoot(request(SHORT, engine="projection"), [short_clip], tmp_path / "a.mp4")
        until(lambda: job.state.doing == "done")
        front = psutil.Process(server.process.pid)
        front.rlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
        (code.folder / "inference_server/worker/go").touch()
        waits = client.shoot(request(SHORT, engine="projection"), [short_clip], tmp_path / "b.mp4")
        until(lambda: [*server.state.glob("results/*/*/take.mp4")])
        assert job.state.stage == "rendering", "it is not told before it is written down"
        front.rlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert job.wait(WAIT).stage == "finished"
        assert waits.wait(WAIT).stage in ("finished", "failed")
        again = client.shoot(request(SHORT, engine="projection"), [short_clip], tmp_path / "c.mp4")
        assert again.wait(WAIT).stage == "finished"
