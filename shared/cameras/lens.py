"""Lenses: ``(fx/width, fy/height, cx/width, cy/height)``, float64, for any picture size.

A point ``(x, y, z)`` in camera axes falls on the picture at
``(cx + fx * x/z, cy + fy * y/z)`` in fractions of width and height.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import RecamError
from .pose import first_wrong

# How far beyond a picture's edge another may reach, in fractions of it: less than half a pixel
# of 832.
TOLERANCE = 5e-4


def check_lenses(lenses) -> np.ndarray:
    """Lenses as ``(F, 4)`` float64, or RecamError ``camera_lens`` naming the frame."""
    lenses = lenses if isinstance(lenses, np.ndarray) else list(lenses)
    if not _right(lenses):
        frame = first_wrong(lenses, lambda some: not _right(some))
        raise RecamError(
            "camera_lens",
            f"The camera's lens at frame {frame} is not four finite numbers "
            "with a positive focal length.",
            "A lens is (fx/width, fy/height, cx/width, cy/height).",
        )
    return np.array(lenses, dtype=np.float64)


def _right(lenses: Sequence) -> bool:
    try:
        array = np.array(lenses, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return False
    return bool(array.shape[1:] == (4,) and np.isfinite(array).all() and (array[:, :2] > 0).all())


def lens_from_focal(focal_mm: float, sensor_width_mm: float, aspect: float) -> np.ndarray:
    """``(4,)`` lens of a centred camera with square pixels.

    focal_mm, sensor_width_mm: millimetres; aspect: picture width over height.
    """
    fx = focal_mm / sensor_width_mm
    return np.array([fx, fx * aspect, 0.5, 0.5])


def crop(lenses: np.ndarray, left: float, top: float, width: float, height: float) -> np.ndarray:
    """Lenses ``(..., 4)`` of a picture that shows only part of the old one.

    left, top, width, height: the part, in fractions of the old picture (it may reach outside).
    """
    return np.stack(
        [
            lenses[..., 0] / width,
            lenses[..., 1] / height,
            (lenses[..., 2] - left) / width,
            (lenses[..., 3] - top) / height,
        ],
        axis=-1,
    )


def shown(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What ``target`` sees of the picture that ``source`` has, lenses ``(F, 4)`` at one place.

    ``(F, 4)``: left, top, width, height in fractions of that picture.
    """
    size = source[:, :2] / target[:, :2]
    return np.hstack([source[:, 2:] - size * target[:, 2:], size])


def beyond(parts: np.ndarray) -> np.ndarray:
    """``(F,)``: how far each of the parts ``(F, 4)`` reaches beyond the picture; <= 0 inside."""
    return np.maximum(-parts[:, :2], parts[:, :2] + parts[:, 2:] - 1).max(axis=1)


def angle_of_view(lens: np.ndarray) -> tuple[float, float]:
    """Degrees across and down that a lens ``(4,)`` sees."""
    fx, fy, cx, cy = lens
    across, down = (np.arctan(c / f) + np.arctan((1 - c) / f) for f, c in ((fx, cx), (fy, cy)))
    return float(np.degrees(across)), float(np.degrees(down))


def matrix(lens: np.ndarray, width: int, height: int) -> np.ndarray:
    """``(3, 3)`` intrinsic matrix in pixels; the middle of the first pixel lies at (0.5, 0.5)."""
    fx, fy, cx, cy = lens
    return np.array([[fx * width, 0, cx * width], [0, fy * height, cy * height], [0, 0, 1.0]])
