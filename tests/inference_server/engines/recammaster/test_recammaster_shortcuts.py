"""Fast quality: refused, calibrated, cached; and which shortcuts calibration keeps."""

from __future__ import annotations

import numpy as np
import pytest
from recammaster_jobs import RELEASE, differ, render

from inference_server.engines.recammaster import calibrate
from inference_server.engines.recammaster.shortcuts import Shortcuts, keep
from shared.errors import RecamError


def test_fast_quality_is_refused_until_it_is_calibrated(engine, usual, monkeypatch, tmp_path):
    monkeypatch.setenv("RECAM_STATE", str(tmp_path))
    with pytest.raises(RecamError) as caught:
        render(engine, usual, quality="fast")
    assert caught.value.code == "not_calibrated" and "recam calibrate" in caught.value.hint
    found = Shortcuts("unipc", 3, 0.4, 0.0)
    keep(RELEASE, found, {"psnr": 31.0})
    ((fast, rendering),) = render(engine, usual, quality="fast")
    assert rendering.report["sampling"] == str(found) == "3 unipc steps, 40 % of them guided"
    ((same, _),) = render(engine, usual, steps=3, solver="unipc", guidance_share=0.4)
    assert differ(fast, same) == 0


@pytest.mark.parametrize("memory", ["resident", "streamed"])
def test_a_step_cache_skips_what_changed_little(engine, usual, memory):
    passes = []
    settings = {"steps": 4, "guidance": 1, "memory": memory}

    def run(threshold: float):
        found = Shortcuts("euler", 4, 1.0, threshold)
        keep(RELEASE, found, {})
        render(engine, usual, **settings)  # brings the networks into the mode
        _, networks, _ = engine._load("")
        last = networks.transformer.blocks[-1].attn2
        hook = last.register_forward_hook(lambda *_: passes.append(1))
        try:
            ((frames, rendering),) = render(engine, usual, **settings, quality="fast")
        finally:
            hook.remove()
        assert rendering.report["sampling"].endswith(f"cache {threshold:g}")
        done, passes[:] = len(passes), []
        return frames, done

    ((exact, _),) = render(engine, usual, **settings)
    careful, all_steps = run(1e-9)
    bold, few_steps = run(10.0)
    assert all_steps == 4 and few_steps < 4
    assert differ(careful, exact) < 0.5 and differ(bold, exact) > differ(careful, exact)
    ((again, _),) = render(engine, usual, **settings)
    assert differ(again, exact) == 0, "nothing of it is left for the exact quality"


def test_the_best_is_the_quickest_that_is_near_enough_and_quicker():
    def trial(steps: int, psnr: float, seconds: float) -> calibrate.Trial:
        return calibrate.Trial(Shortcuts("unipc", steps, 1.0, 0.0), psnr, seconds)

    exact = calibrate.Trial(None, float("inf"), 10.0)
    near, nearer, slow, poor = (
        trial(20, 31.0, 4.0),
        trial(30, 35.0, 6.0),
        trial(40, 40.0, 11.0),
        trial(10, 25.0, 1.0),
    )
    tried = [exact, slow, nearer, near, poor]
    assert calibrate.best(tried, 30.0) == near
    assert calibrate.best(tried, 33.0) == nearer
    assert calibrate.best(tried, 20.0) == poor
    assert calibrate.best(tried, 38.0) is None, "near enough, but no quicker than the exact one"
    assert calibrate.best([exact], 0.0) is None
    a = np.zeros((2, 4, 4, 3), np.uint8)
    assert calibrate.psnr(a, a) == float("inf")
    assert calibrate.psnr(a, a + np.uint8(255)) == 0
    assert calibrate.psnr(a, a + np.uint8(10)) == pytest.approx(28.13, abs=0.01)
