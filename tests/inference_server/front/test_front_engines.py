"""Weights come and go while the server is up: ``auto`` takes what can run at that moment."""

from __future__ import annotations

import shutil

import pytest
from servers import ROOT, until
from takes import SHORT, request

from inference_server.engines.registry import PACKAGES, engine_statuses
from shared.client.client import Client

WAIT = 60.0


@pytest.fixture
def client(server):
    for package in PACKAGES:
        pytest.importorskip(package)
    with Client(server.address, patience=30) as made:
        until(lambda: made.server()["engines"])
        yield made


def can_run(client) -> dict[str, bool]:
    return {engine["name"]: engine["can_run"] for engine in client.server()["engines"]}


def test_weights_that_come_are_used_and_weights_that_go_are_not_missed(
    server, client, short_clip, tmp_path
):
    assert can_run(client) == {"recammaster": False, "projection": True}
    release = server.state / "releases" / "miniature"
    shutil.copytree(ROOT / "inference_server/miniature/release", release)
    assert can_run(client) == {"recammaster": True, "projection": True}
    elsewhere = request(SHORT, settings={"release": "nosuch"})
    refused = client.shoot(elsewhere, [short_clip], tmp_path / "other.mp4").wait(WAIT)
    assert refused.error.code == "weights_missing"
    assert "Installed there: miniature." in refused.error.hint
    assert not client.jobs()  # told before it could wait
    job = client.shoot(request(SHORT), [short_clip], tmp_path / "take.mp4")
    until(lambda: job.state.engine)
    assert job.state.engine == "recammaster"
    shutil.rmtree(release)
    server.worker("model").kill()  # the job is handed over once more
    state = job.wait(WAIT)
    assert (state.stage, state.engine) == ("finished", "projection"), state
    assert "weights" in state.engine_reason


def test_weights_that_cannot_be_read_leave_the_other_engine(tmp_path):
    model, other = engine_statuses(tmp_path / ("x" * 300))  # longer than names may be
    assert not model.can_run and other.can_run
