"""Depth files as the server opens them."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file

from inference_server.engines.projection.depth import open_depth
from shared.depth_file import DepthFile, write_depth


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_what_is_written_is_what_the_server_reads(tmp_path, dtype):
    maps = np.arange(2 * 3 * 5, dtype=dtype).reshape(2, 3, 5)
    maps[0, 0, :2] = np.inf, np.nan
    write_depth(tmp_path / "depth", maps)
    read = load_file(tmp_path / "depth")["depth"]
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, maps)
    np.testing.assert_array_equal(open_depth(tmp_path / "depth", 2)(1), maps[1])


def test_what_half_precision_cannot_hold_is_very_far(tmp_path):
    file = DepthFile(tmp_path / "depth", 1, 1, 2, np.float16)
    file.write(np.array([[70_000.0, 3.0]]))
    assert open_depth(tmp_path / "depth", 40)(39).tolist() == [[np.inf, 3.0]]


def test_a_map_too_many_or_of_another_size_is_refused(tmp_path):
    file = DepthFile(tmp_path / "depth", 1, 2, 2)
    with pytest.raises(ValueError, match="instead of"):
        file.write(np.zeros((2, 3)))
    file.write(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="0 maps left"):
        file.write(np.zeros((2, 2)))
