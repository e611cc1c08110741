"""Accepted means done: whatever dies meanwhile, a job ends, and the next one runs."""

from __future__ import annotations

import psutil
import pytest
from held_engine import HeldCode
from servers import until
from takes import LONG, SHORT, rendering, request

from inference_server.video.probe import probe
from shared.client.client import Client

WAIT = 90.0
MIDDLE = LONG // 8


@pytest.fixture
def client(server):
    with Client(server.address, patience=30) as made:
        yield made


def finished(job, out, frames) -> None:
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    assert probe(out).frames == frames


def test_a_killed_server_goes_on_after_its_restart(server, client, long_clip, tmp_path):
    first = client.shoot(request(MIDDLE), [long_clip], tmp_path / "first.mp4")
    rendering(first)
    second = client.shoot(request(SHORT), [long_clip], tmp_path / "second.mp4")
    until(lambda: second.state.stage == "queued")
    worker = server.worker()
    server.kill()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    server.start()
    finished(first, tmp_path / "first.mp4", MIDDLE)
    finished(second, tmp_path / "second.mp4", SHORT)
    until(lambda: not [*server.state.glob("work/*")])


def test_a_job_at_work_each_time_when_the_server_dies_is_set_aside_and_the_next_one_runs(
    server, client, short_clip, tmp_path
):
    code = HeldCode(tmp_path / "code")
    with (code.folder / "inference_server/front/journal/journal.py").open("a") as journal:
        journal.write("\nMOST_FRONT_DEATHS = 2\n")
    server.stop()
    server.start(code=code.folder)
    asked = request(SHORT, engine="projection", settings={"prompt": "hold"})
    job = client.shoot(asked, [short_clip], tmp_path / "take.mp4")
    behind = client.shoot(request(SHORT, engine="projection"), [short_clip], tmp_path / "b.mp4")
    until(lambda: behind.state.stage == "queued")
    for end in (server.kill, server.stop, server.kill, server.kill):  # in order: not in a row
        with Client(server.address, patience=30) as new:  # which has heard nothing before
            seen = new.attach(job.id, tmp_path / "seen.mp4")
            until(lambda: seen.state.doing == "holding" or seen.state.ended)  # noqa: B023
            assert not seen.state.ended, seen.state
            end()
        server.start(code=code.folder)
    error = job.wait(WAIT).error
    assert error.code == "worker_died" and "itself ended 2 times in a row" in error.sentence
    finished(behind, tmp_path / "b.mp4", SHORT)


def test_a_stopped_server_puts_its_job_back(server, client, long_clip, tmp_path):
    job = client.shoot(request(MIDDLE), [long_clip], tmp_path / "take.mp4")
    rendering(job)
    worker = server.worker()
    assert server.stop() == 0
    assert not worker.is_running()
    assert "Traceback" not in server.log.read_text()
    server.start()
    finished(job, tmp_path / "take.mp4", MIDDLE)


def test_a_job_that_is_cancelled_while_the_server_stops_stays_cancelled(
    server, client, long_clip, tmp_path
):
    job = client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4")
    rendering(job)
    job.cancel()
    assert server.stop() == 0
    server.start()
    assert job.wait(WAIT).stage == "cancelled"
    assert client.cancel(job.id)["stage"] == "cancelled"


def test_a_job_whose_worker_is_killed_is_tried_again(server, client, long_clip, tmp_path):
    job = client.shoot(request(MIDDLE), [long_clip], tmp_path / "take.mp4")
    rendering(job)
    server.worker().kill()
    finished(job, tmp_path / "take.mp4", MIDDLE)


def test_a_job_that_takes_its_worker_down_twice_fails_and_the_next_one_runs(
    server, client, long_clip, tmp_path
):
    job = client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4")
    behind = client.shoot(request(SHORT), [long_clip], tmp_path / "behind.mp4")
    for _ in range(2):
        rendering(job)
        worker = server.worker()
        worker.kill()
        until(lambda gone=worker: not gone.is_running() or job.state.stage != "rendering")
        until(lambda: job.state.stage != "rendering" or not job.state.step)
    state = job.wait(WAIT)
    assert state.stage == "failed"
    assert state.error.code == "worker_died" and "2 times" in state.error.sentence
    assert "memory" in state.error.sentence, "the system kills so whom it has no memory for"
    finished(behind, tmp_path / "behind.mp4", SHORT)


def test_a_clip_that_is_removed_from_the_server_while_it_waits_is_named(
    server, client, long_clip, short_clip, tmp_path
):
    first = client.shoot(request(MIDDLE), [long_clip], tmp_path / "first.mp4")
    rendering(first)
    asked = request(SHORT, name="Harbour at dawn")
    second = client.shoot(asked, [short_clip], tmp_path / "second.mp4")
    until(lambda: second.state.stage == "queued")
    size = short_clip.stat().st_size
    (held,) = (clip for clip in server.state.glob("clips/*/*") if clip.stat().st_size == size)
    held.unlink()
    error = second.wait(WAIT).error
    assert error.code == "clip_gone" and "Harbour at dawn" in error.sentence
    finished(first, tmp_path / "first.mp4", MIDDLE)


def test_a_result_that_is_removed_from_the_server_is_named(server, client, short_clip, tmp_path):
    job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
    finished(job, tmp_path / "take.mp4", SHORT)
    next(server.state.glob("results/*/*/take.mp4")).unlink()
    error = client.attach(job.id, tmp_path / "again.mp4").wait(WAIT).error
    assert error.code == "result_gone" and job.id in error.sentence
    assert not (tmp_path / "again.mp4").exists()
