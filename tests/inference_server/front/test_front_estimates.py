"""What a job would take, asked of a real server before it is sent."""

from __future__ import annotations

import shutil
from fractions import Fraction

import pytest
from servers import until
from takes import LONG, SHORT, rendering, request

from inference_server.cli.verify import MINIATURE
from shared.client.client import Client
from shared.errors import RecamError

WAIT = 120.0
MINI = {"steps": 4, "short": "public", "cuts": "ignore"}


@pytest.fixture
def model_client(shared_server, client):
    """A client of a server that has the miniature release."""
    release = shared_server.state / "releases" / "miniature"
    if not release.exists():
        shutil.copytree(MINIATURE, release)
    until(lambda: any(e["can_run"] for e in client.server()["engines"]))
    return client


@pytest.fixture
def asked(client):
    """Ask for an estimate of a small clip; what the server says."""
    until(lambda: client.server()["engines"])

    def ask(frames=SHORT, width=96, height=64, **more) -> dict:
        return client.estimate(width, height, frames, Fraction(25), **more).result(WAIT)

    return ask


def test_a_projection_is_known_once_one_has_been_made(asked, client, long_clip, tmp_path):
    first = asked(LONG, 640, 360, engine="projection")
    assert (first["engine"], first["seconds"], first["memory"]) == ("projection", None, None)
    assert "not known until a first job has run" in first["sentences"][0]
    job = client.shoot(request(40, engine="projection"), [long_clip], tmp_path / "a.mp4")
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    took = state.result["seconds"]
    told = asked(40, 640, 360, engine="projection")
    assert 0.5 * took < told["seconds"] <= took
    longer = asked(80, 640, 360, engine="projection")
    assert longer["seconds"] == pytest.approx(2 * told["seconds"])
    assert longer["sentences"][0].startswith("About ")
    other = asked(80, 640, 360, engine="projection", depth=True)
    assert other["seconds"] is None, "a surface takes another time than a plane"


def test_the_model_tells_memory_before_and_time_after_its_first_job(
    model_client, asked, short_clip, tmp_path
):
    before = asked(settings=MINI)
    assert (before["engine"], before["seconds"]) == ("recammaster", None)
    assert 0 < before["memory"] < before["memory_available"]
    assert "recam bench" in before["sentences"][0] and "GiB" in before["sentences"][0]
    job = model_client.shoot(request(SHORT, settings=MINI), [short_clip], tmp_path / "a.mp4")
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    report = state.result["takes"][0]["report"]
    assert report["memory_estimate"] == round(before["memory"] / 2**30, 2)
    after = asked(settings=MINI)
    assert 0 < after["seconds"] <= state.result["seconds"]
    assert asked(settings=MINI | {"takes": 3})["seconds"] == pytest.approx(
        3 * after["seconds"], rel=0.2
    )
    twice = asked(settings=MINI | {"steps": 8})["seconds"]
    assert after["seconds"] < twice < 2 * after["seconds"]


def test_an_estimate_comes_while_a_job_renders_and_counts_it(asked, client, long_clip, tmp_path):
    assert tuple(asked(engine="projection")[name] for name in ("ahead", "ahead_seconds")) == (0, 0)
    job = rendering(
        client.shoot(request(LONG, engine="projection"), [long_clip], tmp_path / "a.mp4")
    )
    told = until(lambda: (e := asked(engine="projection"))["ahead_seconds"] and e)
    assert told["ahead"] == 1 and 0 < told["ahead_seconds"] < 600
    behind = client.shoot(request(SHORT, engine="projection"), [long_clip], tmp_path / "b.mp4")
    until(lambda: behind.state.stage == "queued")
    told = asked(engine="projection")
    assert (told["ahead"], told["ahead_seconds"]) == (2, None)
    assert not job.state.ended
    job.cancel()
    assert job.wait(WAIT).stage == "cancelled" and behind.wait(WAIT).stage == "finished"


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"engine": "magic"}, "engine_unknown"),
        ({"settings": {"steps": 0}}, "setting"),
        ({"width": 0}, "bad_message"),
        ({"width": 10**6}, "bad_message"),
        ({"frames": 10**9}, "bad_message"),
        ({"engine": "recammaster", "settings": {"size": "1920x1088"}}, "size"),
        ({"settings": {"release": "other"}, "engine": "recammaster"}, "weights_missing"),
    ],
)
def test_what_would_be_refused_is_refused_now(model_client, asked, question, code):
    with pytest.raises(RecamError) as caught:
        asked(**question)
    assert caught.value.code == code


@pytest.mark.parametrize("rate", ["0", "1/0", "-25", "fast", "nan", "1e999999999", 25])
def test_a_rate_that_is_none_is_refused(client, rate):
    body = {"engine": "auto", "width": 9, "height": 9, "frames": 9, "settings": {}}
    with pytest.raises(RecamError) as caught:
        client.ask("job.estimate", body | {"rate": rate, "depth": False, "start": False}).result(9)
    assert caught.value.code in ("bad_message", "camera_rate")


def test_a_rate_may_be_a_float(client):
    until(lambda: client.server()["engines"])
    assert client.estimate(96, 64, 8, 29.97, "projection").result(WAIT)["engine"] == "projection"


def test_a_worker_that_ends_leaves_nobody_waiting(server):
    with Client(server.address, patience=30) as client:
        until(lambda: client.server()["engines"])
        worker = server.worker()
        worker.suspend()
        until(lambda: worker.status() == "stopped")  # not at once on a busy machine
        prompt = {"prompt": 9000 * "é"}  # all together more than a pipe holds
        asked = [client.estimate(96, 64, 8, Fraction(25), settings=prompt) for _ in range(4)]
        with pytest.raises(RecamError, match="4 estimates of yours"):
            client.estimate(96, 64, 8, Fraction(25)).result(WAIT)
        assert client.server(30)["protocol"] == 1, "the front answers others meanwhile"
        worker.kill()
        for each in asked:
            with pytest.raises(RecamError) as caught:
                each.result(WAIT)
            assert caught.value.code == "worker_gone"
        until(lambda: client.server()["engines"])
        assert client.estimate(96, 64, 8, Fraction(25)).result(WAIT)["engine"] == "projection"
