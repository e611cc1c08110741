"""A job of several takes through the server, and what the engine says meanwhile."""

from __future__ import annotations

import subprocess
import time

import numpy as np
import pytest
from servers import ROOT, recam, until
from slow_engine import REMARK, copy_code
from takes import LONG, SHORT, request

from inference_server.video.probe import probe
from inference_server.video.reader import Reader
from shared.client.client import Client
from shared.takes import take_path

WAIT = 60.0


@pytest.fixture
def takes_server(server, tmp_path):
    server.stop()
    return server.start(code=copy_code(tmp_path / "code"))


@pytest.fixture
def client(takes_server):
    with Client(takes_server.address, patience=30) as made:
        yield made


def mean(path) -> float:
    return float(np.mean([*Reader(path)]))


def test_all_takes_come_each_to_its_own_file(client, short_clip, tmp_path):
    out = tmp_path / "takes" / "a.mp4"
    job = client.shoot(request(SHORT, settings={"takes": 3}), [short_clip], out)
    said = set()
    while not (state := job.state).ended:
        said.add((state.stage, state.doing))
        time.sleep(0.005)
    assert state.stage == "finished", state
    assert ("rendering", "loading the weights") in said
    assert {doing for stage, doing in said if stage != "rendering"} == {""}
    assert sorted(file.name for file in out.parent.iterdir()) == ["a-2.mp4", "a-3.mp4", "a.mp4"]
    assert [take["report"]["seed"] for take in state.result["takes"]] == [0, 1, 2]
    means = [mean(take_path(out, number)) for number in range(3)]
    assert np.diff(means) == pytest.approx([40, 40], abs=3)
    assert state.step == state.steps == sum(take["size"] for take in state.result["takes"])


def test_remarks_come_before_the_first_frame_and_once(client, short_clip, tmp_path):
    job = client.shoot(request(SHORT, settings={"takes": 2}), [short_clip], tmp_path / "a.mp4")
    early = until(lambda: job.state if REMARK in job.state.remarks else job.state.ended)
    assert early.stage == "rendering" and early.step == 0
    assert any("stand still" in remark for remark in early.remarks)
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    assert [*state.remarks] == state.result["remarks"]
    assert len(set(state.remarks)) == len(state.remarks) and {*early.remarks} <= {*state.remarks}


def test_the_command_says_remarks_while_it_waits(takes_server, client, long_clip, tmp_path):
    command = recam("submit", long_clip, "--camera", "static", "-o", tmp_path / "a.mp4")
    with subprocess.Popen(
        command, cwd=ROOT, env=takes_server.environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert any(REMARK in line for line in process.stderr)
        (job,) = client.jobs()
        assert (job["stage"], job["step"]) == ("rendering", 0) and REMARK in job["remarks"]
        client.cancel(job["job"])
        assert REMARK not in process.stderr.read()


def test_a_worker_that_dies_in_the_second_take_begins_again_with_the_first(
    takes_server, client, long_clip, tmp_path
):
    frames, out = LONG // 5, tmp_path / "a.mp4"
    job = client.shoot(request(frames, settings={"takes": 2}), [long_clip], out)
    until(lambda: job.state.doing == "writing take 2")
    takes_server.worker().kill()
    until(lambda: job.state.doing == "writing take 1")
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    assert [take["frames"] for take in state.result["takes"]] == [frames, frames]
    assert mean(take_path(out, 1)) - mean(out) == pytest.approx(40, abs=3)
    assert not [*takes_server.state.glob("work/*")]


def test_a_video_to_start_from_reaches_the_engine(client, short_clip, long_clip, tmp_path):
    first = client.shoot(request(SHORT, settings={"takes": 2}), [short_clip], tmp_path / "a.mp4")
    assert first.wait(WAIT).stage == "finished"
    asked = request(SHORT, settings={"denoising_strength": 0.5})
    start = tmp_path / "a-2.mp4"
    job = client.shoot(asked, [short_clip], tmp_path / "b.mp4", start=start)
    state = job.wait(WAIT)
    assert state.stage == "finished", state
    assert mean(tmp_path / "b.mp4") == pytest.approx(mean(start) / 2, abs=2)
    job = client.shoot(
        request(SHORT, settings=asked.settings), [short_clip], tmp_path / "c.mp4", start=long_clip
    )
    error = job.wait(WAIT).error
    assert error.code == "start_clip" and f"{LONG} frames" in error.sentence


def test_the_command_fetches_all_takes_and_replaces_none_unasked(
    takes_server, short_clip, tmp_path
):
    out = tmp_path / "b.mp4"
    kept = tmp_path / "b-2.mp4"
    kept.write_bytes(b"dear to me")
    submit = ("submit", short_clip, "--camera", "static", "-o", out)
    refused = takes_server.run(*submit, "--takes", "2")
    assert refused.returncode == 1 and "b-2.mp4 exists" in refused.stderr
    job = takes_server.run(*submit, "--detach", "--takes", "2", "--overwrite").stdout.strip()
    refused = takes_server.run("fetch", job, "-o", out)
    assert refused.returncode == 1 and "b-2.mp4 exists" in refused.stderr
    assert kept.read_bytes() == b"dear to me" and not out.exists()
    fetched = takes_server.run("fetch", job, "-o", out, "--overwrite")
    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stdout.splitlines() == [f"{path}: {SHORT} frames, 96x64" for path in (out, kept)]
    assert probe(kept).frames == probe(out).frames == SHORT
