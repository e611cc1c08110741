"""Depth files that lie: refused when they are opened, in words that end."""

from __future__ import annotations

import numpy as np
import pytest
from stress.media.depth import depths
from stress.media.seeds import FRAMES

from inference_server.engines.projection import depth
from shared.depth_file import write_depth
from shared.errors import RecamError

CASES = {case.name: case for case in depths() if case.refused}


@pytest.mark.parametrize("name", CASES)
def test_files_that_lie_are_refused(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(CASES[name].data)
    with pytest.raises(RecamError) as error:
        depth.open_depth(path, FRAMES)
    assert error.value.code in ("depth", "depth_file") and error.value.hint
    assert name in error.value.sentence and len(error.value.sentence) < 300


def test_a_map_is_no_larger_than_a_picture(tmp_path, monkeypatch):
    write_depth(tmp_path / "a.safetensors", np.ones((FRAMES, 8, 8), np.float32))
    monkeypatch.setattr(depth, "MOST", 64)
    assert depth.open_depth(tmp_path / "a.safetensors", FRAMES)(3).shape == (8, 8)
    monkeypatch.setattr(depth, "MOST", 63)
    with pytest.raises(RecamError, match="8 x 8 points"):
        depth.open_depth(tmp_path / "a.safetensors", FRAMES)
