"""ReCamMaster behind a real server: chosen by itself, its words, its errors, its takes."""

from __future__ import annotations

import re
import shutil
import time

import numpy as np
import pytest
from recammaster_jobs import RELEASE
from servers import until
from takes import SHORT, request

from inference_server.video.reader import Reader
from shared.takes import take_path

WAIT = 120.0
SETTINGS = {"steps": 20, "short": "public", "cuts": "ignore", "prompt": "a man in the rain"}


@pytest.fixture
def model_client(shared_server, client):
    """A client of a server that has the miniature release."""
    release = shared_server.state / "releases" / "miniature"
    if not release.exists():
        shutil.copytree(RELEASE.path, release)
    until(
        lambda: any(e["can_run"] for e in client.server()["engines"] if e["name"] != "projection")
    )
    return client


def test_a_bad_job_is_told_and_the_next_one_ends_with_its_takes(model_client, short_clip, tmp_path):
    too_large = request(SHORT, settings={**SETTINGS, "size": "1920x1088"})
    bad = model_client.shoot(too_large, [short_clip], tmp_path / "bad.mp4").wait(WAIT)
    assert (bad.stage, bad.engine, bad.error.code) == ("failed", "recammaster", "size")
    assert "1920 x 1088" in bad.error.sentence and "nearest" in bad.error.hint
    assert not (tmp_path / "bad.mp4").exists()

    out = tmp_path / "take.mp4"
    good = request(SHORT, settings={**SETTINGS, "takes": 2, "seed": 5})
    job = model_client.shoot(good, [short_clip], out)
    seen = []
    while not (state := job.state).ended:
        seen.append(state)
        time.sleep(0.003)
    assert (state.stage, state.engine) == ("finished", "recammaster"), state
    doing = list(dict.fromkeys(s.doing for s in seen if s.stage == "rendering" and s.doing))
    assert {"denoising", "writing the take"} <= set(doing)
    rendering = [s.step for s in seen if s.stage == "rendering" and s.steps]
    assert rendering == sorted(rendering)
    early = next(s for s in seen if s.doing == "denoising")
    told = r"reckoned to need \d+\.\d GiB on the .*, with the networks there together\."
    assert any(re.search(told, remark) for remark in early.remarks), "the estimate, before the wait"
    assert any("stand still" in remark for remark in early.remarks)
    assert (8, 12, 3) in {s.picture.shape for s in seen if s.picture is not None}, "of the latents"
    takes = state.result["takes"]
    assert [take["report"]["seed"] for take in takes] == [5, 6]
    assert {take["report"]["release"] for take in takes} == {"miniature"}
    frames = [np.stack([*Reader(take_path(out, number))]) for number in range(2)]
    assert [len(f) for f in frames] == [SHORT, SHORT]
    assert np.abs(frames[0].astype(int) - frames[1]).mean() > 1
