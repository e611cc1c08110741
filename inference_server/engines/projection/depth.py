"""Depth maps: from a sequence, a function, or a file, checked frame by frame."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from safetensors import SafetensorError, safe_open

from shared.errors import RecamError

DepthOf = Callable[[int], np.ndarray]

MOST = 16_384 * 8_640  # points in one map: as a clip's largest picture

HINT = "Depth is z in metres from the source camera, one (height, width) map per frame."


def depth_of(depth, frames: int) -> DepthOf:
    """What the setting ``depth`` holds as a function from frame to ``(h, w)`` map.

    A function is taken as it is; of a sequence, one map serves all frames.
    Raises RecamError ``depth`` for anything else or for another number of maps.
    """
    if callable(depth):
        return depth
    try:
        count = None if isinstance(depth, str | bytes) else len(depth)
    except TypeError:
        count = None
    if count is None:
        raise RecamError("depth", f"{type(depth).__name__!r} holds no depth maps.", HINT)
    _check_count(count, frames, "The depth setting")
    return lambda frame: depth[frame if count > 1 else 0]


def open_depth(path: str | Path, frames: int) -> DepthOf:
    """Depth maps of a safetensors file, read as they are asked for.

    The file has a tensor ``depth``, ``(frames or 1, h, w)`` float32 or float16, metres.
    Raises RecamError ``depth_file`` if it cannot be read or holds something else, ``depth`` for
    another number of maps.
    """
    name = Path(path).name
    try:
        file = safe_open(str(path), framework="numpy")
    except (OSError, SafetensorError) as error:
        raise RecamError(
            "depth_file",
            f"{name} cannot be read as depth maps.",
            "Give a safetensors file with a tensor named depth, written to its end.",
        ) from error
    if "depth" not in (names := sorted(file.keys())):
        held = ", ".join(name[:40] for name in names[:3]) if names else "nothing"
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        raise RecamError(
            "depth_file",
            f"{name} holds {held}{more}, but no tensor named depth.",
            "Rename the tensor.",
        )
    maps = file.get_slice("depth")
    shape, kind = tuple(maps.get_shape()), maps.get_dtype()
    if len(shape) != 3 or 0 in shape or kind not in ("F32", "F16"):
        raise RecamError(
            "depth_file",
            f"The depth in {name} has the shape {shape} and the type {kind}.",
            "It must be (frames, height, width), float32 or float16.",
        )
    if shape[1] * shape[2] > MOST:
        raise RecamError(
            "depth_file",
            f"The depth in {name} has maps of {shape[2]:,} x {shape[1]:,} points.",
            f"At most {MOST // 10**6} million are read; the clip's own size is enough.",
        )
    _check_count(shape[0], frames, name)
    return lambda frame: maps[frame if shape[0] > 1 else 0]


def nearness_map(depth_of: DepthOf, frame: int, width: int, height: int) -> np.ndarray:
    """``(height, width)`` float32, one over metres, of the frame's depth; NaN where unknown.

    Interpolated in one over depth, in which planes stay planes. 0 is infinitely far.
    Raises RecamError ``depth`` if the map is not two-dimensional or not of numbers.
    """
    depth = np.asarray(depth_of(frame))
    if depth.ndim != 2 or depth.size == 0 or depth.dtype.kind not in "fiu":
        raise RecamError(
            "depth",
            f"The depth map of frame {frame} has the shape {depth.shape} "
            f"and the type {depth.dtype}.",
            HINT,
        )
    depth = depth.astype(np.float32)
    nearness = np.full_like(depth, np.nan)
    np.divide(1, depth, out=nearness, where=depth > 0)
    if nearness.shape != (height, width):
        nearness = cv2.resize(nearness, (width, height), interpolation=cv2.INTER_LINEAR)
    return nearness


def _check_count(count: int, frames: int, owner: str) -> None:
    if count not in (1, frames):
        raise RecamError(
            "depth",
            f"{owner} has {count} depth maps, the clip {frames} frames.",
            "Give one map per frame, or one for all.",
        )
