"""A job as its client lives it: done, cancelled at every stage, cut off and taken up again."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from proxy import Proxy
from servers import recam, until
from takes import LONG, SHORT, another_user, rendering, request

from inference_server.video.probe import probe
from shared.client.client import Client
from shared.client.job import RemoteJob
from shared.errors import RecamError
from shared.protocol.limits import DATA_BYTES
from shared.protocol.request import new_id

WAIT = 60.0


def finished(job):
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    return state


def cancelled(job):
    """Cancel it; what is left to see is only that it ends, and how."""
    job.cancel()
    state = job.wait(WAIT)
    assert (state.stage, state.error) == ("cancelled", None)


def stage_of(client, job) -> str:
    return next(known["stage"] for known in client.jobs() if known["job"] == job.id)


@pytest.fixture
def large_file(tmp_path):
    """Nothing that could be decoded; it takes a while to send."""
    path = tmp_path / "large.mov"
    path.write_bytes(np.random.default_rng().bytes(16 << 20))
    return path


def test_a_clip_goes_out_and_its_take_comes_back(client, short_clip, tmp_path):
    out = tmp_path / "new" / "take.mp4"
    job = client.shoot(request(SHORT), [short_clip], out)
    state = finished(job)
    take = probe(out)
    assert (take.frames, take.width, take.height) == (SHORT, 96, 64)
    assert state.result["takes"][0]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert state.engine == "projection" and "preview" in state.engine_reason
    assert [file.name for file in out.parent.iterdir()] == ["take.mp4"]


def test_a_long_shot_arrives(client, short_clip, tmp_path):
    """In several jobs at once, then in one more: then it has to be sent again."""
    asked = request(20_000)
    assert len(asked.shot_data()) > 2 * DATA_BYTES
    for count in (5, 1):
        all_asked = [replace(asked, job=new_id()) for _ in range(count)]
        jobs = [client.shoot(each, [short_clip], tmp_path / "take.mp4") for each in all_asked]
        for job in jobs:
            error = job.wait(WAIT).error
            assert error.code == "clip_truncated" and f"{asked.frames}" in error.sentence


def test_an_end_is_seen_with_what_it_brought(client, short_clip, tmp_path, monkeypatch):
    """By a thread that looks at any moment."""
    show, seen = RemoteJob._show, []

    def showing(job, **changes):
        show(job, **changes)
        seen.append(job.state)

    monkeypatch.setattr(RemoteJob, "_show", showing)
    good = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
    assert finished(good).result == seen[-1].result
    bad = client.shoot(request(3 * SHORT), [short_clip], tmp_path / "none.mp4")
    assert bad.wait(WAIT).error
    assert [state.stage for state in seen if state.ended] == ["finished", "failed"]


def test_a_job_has_no_second_life(client, short_clip, tmp_path):
    """The same id again, as after a lost answer, is the same job: not rendered twice."""
    asked = request(SHORT)
    first = finished(client.shoot(asked, [short_clip], tmp_path / "a.mp4"))
    second = finished(client.shoot(asked, [short_clip], tmp_path / "b.mp4"))
    assert first.result == second.result
    assert [known["job"] for known in client.jobs()].count(asked.job) == 1


def test_two_jobs_of_one_client_both_end(client, short_clip, tmp_path):
    jobs = [client.shoot(request(SHORT), [short_clip], tmp_path / f"{n}.mp4") for n in range(2)]
    for job in jobs:
        finished(job)


def test_a_clip_in_parts_is_played_one_after_the_other(client, short_clip, tmp_path):
    out = tmp_path / "take.mp4"
    finished(client.shoot(request(2 * SHORT), [short_clip, short_clip], out))
    assert probe(out).frames == 2 * SHORT


def test_a_clip_with_too_few_frames_fails_and_says_how_many_there_are(client, short_clip, tmp_path):
    job = client.shoot(request(3 * SHORT), [short_clip], tmp_path / "take.mp4")
    state = job.wait(WAIT)
    assert state.stage == "failed"
    assert state.error.code == "clip_truncated" and str(SHORT) in state.error.sentence
    assert not (tmp_path / "take.mp4").exists()


def test_a_file_that_is_no_clip_fails_and_the_next_job_runs(client, short_clip, tmp_path):
    text = tmp_path / "notes.mov"
    text.write_text("Shot 12: the boats again, from the left.\n" * 100)
    job = client.shoot(request(SHORT), [text], tmp_path / "a.mp4")
    assert job.wait(WAIT).error.code == "clip_unreadable"
    finished(client.shoot(request(SHORT), [short_clip], tmp_path / "b.mp4"))


def test_a_clip_that_is_gone_before_it_is_sent_is_named(client, tmp_path):
    job = client.shoot(request(SHORT), [tmp_path / "gone.mov"], tmp_path / "take.mp4")
    error = job.wait(WAIT).error
    assert error.code == "clip_missing" and "gone.mov" in error.sentence


def test_a_clip_without_a_byte_is_named(client, tmp_path):
    (tmp_path / "empty.mov").touch()
    job = client.shoot(request(SHORT), [tmp_path / "empty.mov"], tmp_path / "take.mp4")
    error = job.wait(WAIT).error
    assert error.code == "clip_unreadable" and "empty.mov is empty" in error.sentence


def test_a_take_that_cannot_be_written_stays_on_the_server(client, short_clip, tmp_path):
    (tmp_path / "file").write_text("in the way")
    job = client.shoot(request(SHORT), [short_clip], tmp_path / "file" / "take.mp4")
    state = job.wait(WAIT)
    assert state.error.code == "result_unwritable" and "recam fetch" in state.error.hint
    finished(client.attach(job.id, tmp_path / "take.mp4"))
    assert probe(tmp_path / "take.mp4").frames == SHORT


def test_cancelled_while_connecting(tmp_path, short_clip, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path / "config"))
    with Client("tcp://127.0.0.1:9") as client:
        job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
        assert job.wait(0.1).stage == "connecting"
        cancelled(job)


def test_cancelled_while_uploading(shared_server, short_clip, large_file, tmp_path):
    with Proxy(shared_server.address) as proxy, Client(proxy.address) as client:
        proxy.slow = 0.02
        other = client.shoot(request(SHORT), [short_clip], tmp_path / "other.mp4")
        job = client.shoot(request(SHORT), [large_file], tmp_path / "take.mp4")
        until(lambda: job.state.stage == "uploading" and job.state.step)
        cancelled(job)
        assert proxy.sent < large_file.stat().st_size
        assert job.id not in [known["job"] for known in client.jobs()]
        finished(other)


def test_cancelled_while_queued_and_the_job_before_it_goes_on(client, long_clip, tmp_path):
    first = client.shoot(request(LONG // 10), [long_clip], tmp_path / "first.mp4")
    rendering(first)
    job = client.shoot(request(SHORT), [long_clip], tmp_path / "take.mp4")
    until(lambda: job.state.stage == "queued")
    cancelled(job)
    assert stage_of(client, job) == "cancelled"
    finished(first)


def test_cancelled_while_rendering_and_the_job_behind_it_runs(client, long_clip, tmp_path):
    job = client.shoot(request(LONG), [long_clip], tmp_path / "take.mp4")
    rendering(job)
    behind = client.shoot(request(SHORT), [long_clip], tmp_path / "behind.mp4")
    until(lambda: behind.state.stage == "queued")
    cancelled(job)
    assert stage_of(client, job) == "cancelled"
    finished(behind)
    assert not (tmp_path / "take.mp4").exists()


def test_cancelled_while_downloading(shared_server, client, long_clip, tmp_path):
    done = finished(client.shoot(request(LONG // 10), [long_clip], tmp_path / "first.mp4"))
    known = client.jobs()[0]["job"]
    assert done.result["takes"][0]["size"] > 100_000
    folder = tmp_path / "takes"
    folder.mkdir()
    with Proxy(shared_server.address) as proxy, Client(proxy.address) as slow:
        slow.server()
        proxy.slow = 0.3
        job = slow.attach(known, folder / "take.mp4")
        until(lambda: job.state.stage == "downloading")
        cancelled(job)
        assert job.state.result  # which tells that there is something to be fetched later
    assert [*folder.iterdir()] == []
    assert client.jobs()[0]["stage"] == "finished"  # the server keeps the result


def test_a_cancel_after_the_end_changes_nothing(client, short_clip, tmp_path):
    job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
    finished(job)
    job.cancel()
    assert client.cancel(job.id)["stage"] == "finished"
    assert job.state.stage == "finished"


def test_a_job_outlives_a_cut_connection_while_it_renders(shared_server, long_clip, tmp_path):
    with Proxy(shared_server.address) as proxy, Client(proxy.address, patience=30) as client:
        job = client.shoot(request(LONG // 8), [long_clip], tmp_path / "take.mp4")
        rendering(job)
        proxy.cut()
        finished(job)
        assert proxy.connections >= 2
    assert probe(tmp_path / "take.mp4").frames == LONG // 8


def test_a_download_outlives_a_cut_connection(shared_server, client, long_clip, tmp_path):
    first = client.shoot(request(LONG // 10), [long_clip], tmp_path / "first.mp4")
    size = finished(first).result["takes"][0]["size"]
    with Proxy(shared_server.address) as proxy, Client(proxy.address, patience=30) as slow:
        slow.server()
        proxy.slow = 0.01
        job = slow.attach(first.id, tmp_path / "take.mp4")
        until(lambda: proxy.received > size / 2)
        proxy.cut()
        finished(job)
        assert proxy.connections == 2
    assert (tmp_path / "take.mp4").read_bytes() == (tmp_path / "first.mp4").read_bytes()


def test_a_killed_client_finds_its_job_again(shared_server, client, long_clip, tmp_path):
    arguments = ("submit", long_clip, "--camera", "pan_right", "--frames", LONG // 10)
    process = subprocess.Popen(
        recam(*arguments, "-o", tmp_path / "lost.mp4"), env=shared_server.environment
    )
    known = {job["job"] for job in client.jobs()}
    new = until(lambda: next((j for j in client.jobs() if j["job"] not in known), None))
    process.kill()
    process.wait(WAIT)
    fetched = shared_server.run("fetch", new["job"], "-o", tmp_path / "take.mp4")
    assert fetched.returncode == 0, fetched.stderr
    assert probe(tmp_path / "take.mp4").frames == LONG // 10
    assert not (tmp_path / "lost.mp4").exists()


def test_anothers_job_is_as_if_it_never_was(
    shared_server, client, short_clip, tmp_path, monkeypatch
):
    job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
    finished(job)
    with (
        another_user(shared_server, tmp_path / "anna", monkeypatch) as key,
        Client(shared_server.address, key) as anna,
    ):
        assert anna.jobs() == []
        never = new_id()
        told = {}
        for asked in (job.id, never):
            with pytest.raises(RecamError) as caught:
                anna.cancel(asked)
            following = anna.attach(asked, tmp_path / "stolen.mp4").wait(WAIT).error
            told[asked] = [
                (error.code, error.sentence.replace(asked, "…"), error.hint)
                for error in (caught.value, following)
            ]
        assert told[job.id] == told[never]
        assert told[never][0][0] == "no_such_job"
    assert not (tmp_path / "stolen.mp4").exists()
    assert client.cancel(job.id)["stage"] == "finished"


def test_a_client_that_leaves_leaves_its_job(shared_server, client, long_clip, tmp_path):
    with Client(shared_server.address) as leaving:
        job = leaving.shoot(request(LONG // 10), [long_clip], tmp_path / "take.mp4")
        rendering(job)
    assert job.wait(WAIT).error.code == "client_closed" and "go on" in job.state.error.hint
    assert stage_of(client, job) in ("rendering", "finished")
    finished(client.attach(job.id, tmp_path / "take.mp4"))
