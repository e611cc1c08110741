"""A disk that is full, at each moment: what was accepted ends, and goes on once there is room."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import psutil
import pytest
from held_engine import HeldCode
from plain_client import PlainClient
from servers import until
from takes import SHORT, request, write_clip

from shared.client.client import Client
from shared.protocol.request import new_id

WAIT = 60.0
LITTLE = 100_000  # bytes, and too few for a job to be begun
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
    made = HeldCode(tmp_path / "code")
    with (made.folder / "inference_server/front/jobs/dispatcher.py").open("a") as dispatcher:
        dispatcher.write("\nRETRY_SECONDS = 1.0\n")
    return made


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
    """Of a running server, as it sees it. What fills it is a result that nobody has fetched yet."""

    def __init__(self, server) -> None:
        disk = Path(f"/proc/{server.process.pid}/root{server.state}")
        self._result = disk / "results" / f"{0:032x}" / f"{0:032x}"

    def fill(self, but: int = 0) -> None:
        """To the last byte, or until so many are left, rounded down to pages."""
        self._result.mkdir(parents=True, exist_ok=True)
        filler = self._result / "take.mp4"
        for size in (1 << 20, 4096, 1):
            try:
                with filler.open("ab", buffering=0) as file:
                    while file.write(b"x" * size):
                        pass
            except OSError:
                continue
        os.truncate(filler, filler.stat().st_size - but)

    def empty(self) -> None:
        """There is room again."""
        (self._result / "take.mp4").unlink()

    def let_go(self) -> None:
        """What fills it has been fetched: housekeeping may remove it."""
        (self._result / "delivered").touch()

    @property
    def is_filled(self) -> bool:
        """Whether what fills it is there."""
        return self._result.exists()


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


def test_a_whole_clip_that_finds_no_place_is_kept_once_it_does(server):
    client = PlainClient(server.address, server.config)
    client.ask("hello", {"protocol": 1, "client": "plain"})
    content, begin = b"a clip" * 100, {"upload": new_id(), "size": 600, "sha256": None}
    assert client.ask("blob.put", begin)[0] == "blob.go"
    client.chunk(content, 0, begin["upload"])
    in_the_way = server.state / "clips"
    in_the_way.touch()
    end = {"upload": begin["upload"], "sha256": hashlib.sha256(content).hexdigest()}
    kind, told, _ = client.ask("blob.end", end)
    assert (kind, told["code"]) == ("error", "server_disk"), told
    in_the_way.unlink()
    assert client.ask("blob.put", begin)[1] == {"upload": begin["upload"], "offset": 600}
    assert client.ask("blob.end", end)[0] == "blob.held"
    client.close()


def test_a_disk_that_fills_up_at_work_fails_no_job_that_finds_room_later(
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
        until(lambda: client.server(30)["trouble"])
        small.let_go()
        assert job.wait(WAIT).stage == "finished", job.state
        assert behind.wait(WAIT).stage == "finished", behind.state
        assert client.server()["trouble"] == ""


def test_jobs_wait_in_words_until_the_disk_has_room_which_housekeeping_makes(
    server, small, short_clip, tmp_path
):
    with Client(server.address, patience=30) as client:
        client.upload(short_clip).result(WAIT)
        small.fill(but=LITTLE)
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "a.mp4")
        until(lambda: "jobs wait until" in job.state.engine_reason)
        assert "free; jobs wait until it has 126 kB" in client.server()["trouble"]
        assert job.state.stage == "queued" and small.is_filled
        small.let_go()
        assert job.wait(WAIT).stage == "finished", job.state
        assert not small.is_filled and client.server()["trouble"] == ""


def test_a_take_that_never_finds_room_ends_its_job_and_the_next_one_runs(
    server, small, short_clip, tmp_path
):
    large = write_clip(tmp_path / "large.mp4", 20, 640, 360)
    with Client(server.address, patience=30) as client:
        for clip in (large, short_clip):
            client.upload(clip).result(WAIT)
        small.fill(but=5 * LITTLE)  # more than a job needs to be begun
        job = client.shoot(request(20, name="harbour"), [large], tmp_path / "a.mp4")
        behind = client.shoot(request(SHORT), [short_clip], tmp_path / "b.mp4")
        state = job.wait(WAIT)
        assert state.error and state.error.code == "result_unwritable", state
        assert behind.wait(WAIT).stage == "finished", behind.state
        assert client.server()["trouble"] == ""
    begun = server.log.read_text().count(f"job started (job {job.id}")
    assert begun == 2, "it is tried once more"


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
