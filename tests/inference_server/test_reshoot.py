"""From files to a file without a server: what a worker does with one job."""

from __future__ import annotations

import hashlib

import pytest
from takes import SHORT, request

from inference_server.engines.base import Cancelled
from inference_server.reshoot import reshoot
from inference_server.video.probe import probe


def test_the_result_is_what_the_protocol_says(short_clip, tmp_path):
    out, steps = tmp_path / "take.mp4", []
    result = reshoot(
        [short_clip], request(SHORT).shot, out, on_progress=lambda *step: steps.append(step)
    )
    assert set(result) == {
        "size", "sha256", "width", "height", "content_size", "frames", "rate", "report",
        "remarks", "seconds",
    }  # fmt: skip
    assert result["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (result["size"], result["frames"], result["rate"]) == (out.stat().st_size, SHORT, "25")
    assert probe(out).frames == SHORT
    assert steps[-1] == (SHORT, SHORT) and steps == sorted(steps)
    assert any("stand still" in remark for remark in result["remarks"])


def test_a_stop_leaves_nothing_behind(short_clip, tmp_path):
    steps = []
    with pytest.raises(Cancelled):
        reshoot(
            [short_clip],
            request(SHORT).shot,
            tmp_path / "take.mp4",
            on_progress=lambda *step: steps.append(step),
            should_stop=lambda: len(steps) >= 2,
        )
    assert [*tmp_path.iterdir()] == []
    assert len(steps) < SHORT
