"""A camera file of any kind that Recam knows."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import RecamError
from . import extrinsics
from .json_file import load_json
from .recam_json import shot_from_json
from .trajectory import Shot


def read_camera(
    path: str | Path,
    lens: np.ndarray | None = None,
    camera: str | None = None,
    rate: Fraction = extrinsics.PUBLIC_RATE,
    subject_distance: float = 4.0,
) -> Shot:
    """The Shot in a camera file of Recam's or in a public ``camera_extrinsics.json``.

    The other arguments complete the public file, which holds only poses: a lens ``(4,)``, which
    camera (None if it holds only one), the frame rate, metres to the subject. Recam's own file
    holds them itself. Raises RecamError ``camera_file`` for any other file, ``camera_lens`` for
    a public file without a lens, and what the two readers raise.
    """
    data = load_json(path)
    if isinstance(data, dict) and "format" in data:
        return shot_from_json(data)
    if isinstance(data, dict) and any(str(key).startswith("frame") for key in data):
        if lens is None:
            raise RecamError(
                "camera_lens",
                f"The camera file {path} holds no lens.",
                "Give the lens that shot the clip beside it.",
            )
        trajectory = extrinsics.from_json(data, lens, camera, rate)
        return Shot(trajectory, subject_distance=subject_distance)
    raise RecamError(
        "camera_file",
        f"The file {path} is JSON, but no camera file that Recam knows.",
        "Give a camera file of Recam's (docs/trajectory.md), or a camera_extrinsics.json.",
    )
