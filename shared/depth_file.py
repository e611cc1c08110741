"""Depth maps as a file to send: safetensors with one tensor, ``depth``. numpy alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

TYPES = {np.dtype(np.float32): "F32", np.dtype(np.float16): "F16"}


class DepthFile:
    """Writes maps ``(h, w)`` of z in metres from the source camera, one after another.

    inf is very far, NaN unknown. frames: how many maps there will be: one for each of the clip's
    frames, or one for all. dtype: float32, or float16, which keeps depth to 0.05 %.
    """

    def __init__(
        self, path: str | Path, frames: int, height: int, width: int, dtype=np.float32
    ) -> None:
        self.left = frames
        self._shape, self._dtype = (height, width), np.dtype(dtype).newbyteorder("<")
        size = frames * height * width * self._dtype.itemsize
        tensor = {
            "dtype": TYPES[np.dtype(dtype)],
            "shape": [frames, height, width],
            "data_offsets": [0, size],
        }
        header = json.dumps({"depth": tensor}).encode()
        header += b" " * (-len(header) % 8)
        self._path = Path(path)
        self._path.write_bytes(len(header).to_bytes(8, "little") + header)

    def write(self, depth: np.ndarray) -> None:
        """Add the next map. Raises ValueError for another size, or for one too many."""
        if depth.shape != self._shape or not self.left:
            raise ValueError(f"{depth.shape} instead of {self._shape}, {self.left} maps left")
        with np.errstate(over="ignore"):  # beyond 65504 m is very far
            data = depth.astype(self._dtype).tobytes()
        with self._path.open("ab") as file:  # not kept open: a job may be let go at any time
            file.write(data)
        self.left -= 1


def write_depth(path: str | Path, maps: np.ndarray) -> None:
    """Write maps ``(frames, h, w)`` float32 or float16 at once."""
    file = DepthFile(path, *maps.shape, dtype=maps.dtype)
    for depth in maps:
        file.write(depth)
