"""Where the target camera's pixels look in the source picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass
class Sight:
    """For every pixel of the target picture, the place in the source picture that it shows.

    x, y: ``(h, w)`` float32, source pixels counted from the middle of the first one (as
        cv2.remap does), never further than ``margin`` outside the picture.
    hit: ``(h, w)`` bool, the ray meets geometry; the place may still lie outside the picture.
    nearness: ``(h, w)`` float32, one over the depth from the target camera, or None on a plane.
    """

    x: np.ndarray
    y: np.ndarray
    hit: np.ndarray
    nearness: np.ndarray | None = None

    def outside(self, width: int, height: int) -> np.ndarray:
        """``(h, w)`` float32: source pixels beyond the edge of the picture; <= 0 inside it."""
        x = np.abs(self.x - np.float32((width - 1) / 2)) - np.float32(width / 2)
        y = np.abs(self.y - np.float32((height - 1) / 2)) - np.float32(height / 2)
        return np.maximum(x, y)


def margin(width: int) -> int:
    """Source pixels around the picture that are mirrored to soften its edge."""
    return max(4, width // 32)


def box(wanted: np.ndarray) -> tuple[slice, slice]:
    """The smallest rectangle with every True of a ``(h, w)`` bool mask; empty if there is none."""
    rows, columns = np.flatnonzero(wanted.any(axis=1)), np.flatnonzero(wanted.any(axis=0))
    if not rows.size:
        return np.s_[:0, :0]
    return np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
