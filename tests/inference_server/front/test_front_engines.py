"""Weights come and go while the server is up: ``auto`` takes what can run at that moment."""

from __future__ import annotations

import os
import shutil
import sys

import psutil
import pytest
from servers import ROOT, until
from slow_engine import copy_code
from takes import SHORT, request

from inference_server.engines.registry import PACKAGES, choose, engine_statuses
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
    assert choose("auto", [model, other])[0] == "projection"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process limits another")
def test_jobs_wait_for_the_engine_where_the_system_opens_no_more_files(
    server, client, short_clip, tmp_path
):
    server.kill()
    code = copy_code(tmp_path / "code")
    with (code / "inference_server/front/jobs/dispatcher.py").open("a") as dispatcher:
        dispatcher.write("\nRETRY_SECONDS = 0.5\n")
    server.start(code=code)
    release = server.state / "releases" / "miniature"
    shutil.copytree(ROOT / "inference_server/miniature/release", release)
    client.upload(short_clip).result(WAIT)
    front = psutil.Process(server.process.pid)
    limits = front.rlimit(psutil.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir(f"/proc/{front.pid}/fd")}
    front.rlimit(psutil.RLIMIT_NOFILE, (min({*range(len(used) + 1)} - used), limits[1]))
    jobs = [
        client.shoot(request(SHORT, engine=engine), [short_clip], tmp_path / f"{engine}.mp4")
        for engine in ("auto", "recammaster")
    ]
    until(lambda: "Too many open files" in client.server()["trouble"])
    until(lambda: [each["stage"] for each in client.jobs()] == ["queued"] * 2)
    front.rlimit(psutil.RLIMIT_NOFILE, limits)
    assert until(lambda: jobs[0].state.engine) == "recammaster"
    server.kill()  # its worker would have torch loaded first
