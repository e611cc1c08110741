"""Sampling the source picture well filtered, magnified and minified."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .sight import Sight, box

# Source pixels per target pixel that Lanczos alone renders without visible aliasing.
UNFILTERED = 1.4
MOST_SAMPLES = 4


def sample(frame: np.ndarray, sight: Sight, wanted: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """``(h, w, 3)`` uint8: ``frame`` as ``sight`` shows it; mirrored beyond the picture's edge.

    wanted: ``(h, w)`` bool, the pixels that are needed, the others may be black; inside:
    ``(h, w)`` bool, those that matter for the choice of the filter.

    The part of the minification that all pixels share is met by a Gaussian before sampling,
    what is left in places by several samples per pixel along either axis, four at most.
    """
    across, down = minification(sight, inside)
    shared = float(min(across[0], down[0]))
    most = float(max(across[1], down[1]))
    shared = max(shared, most / (2 * MOST_SAMPLES), 1.0)
    frame, halvings = _soften(frame, shared)
    kx, ky = (samples(axis[1] / shared) for axis in (across, down))
    result = np.zeros((*wanted.shape, 3), np.uint8)
    part = box(wanted)
    x, y = sight.x[part], sight.y[part]
    if not x.size:
        return result
    if kx * ky > 1:
        x, y = _between(x, kx, ky), _between(y, kx, ky)
    if halvings:
        # cv2.pyrDown keeps the middle of the first pixel where it is.
        x, y = x * np.float32(0.5**halvings), y * np.float32(0.5**halvings)
    kernel = cv2.INTER_LANCZOS4 if kx * ky == 1 else cv2.INTER_CUBIC
    picture = cv2.remap(frame, x, y, kernel, borderMode=cv2.BORDER_REFLECT)
    if kx * ky > 1:
        picture = cv2.resize(picture, None, fx=1 / kx, fy=1 / ky, interpolation=cv2.INTER_AREA)
    result[part] = picture
    return result


def minification(sight: Sight, inside: np.ndarray) -> tuple[tuple, tuple]:
    """Source pixels per target pixel, along the target's x and along its y: ``(least, most)``.

    The 2nd and 98th percentile over a coarse grid of the pixels ``inside``, so that a depth edge
    or the horizon of a plane does not decide for the whole picture; (1, 1) if there are none.
    """
    grid = np.s_[:-1:8, :-1:8]
    chosen = inside[grid] & inside[1::8, :-1:8] & inside[:-1:8, 1::8]
    if not chosen.any():
        return (1.0, 1.0), (1.0, 1.0)
    x, y = sight.x[grid][chosen], sight.y[grid][chosen]
    result = []
    for step in (np.s_[:-1:8, 1::8], np.s_[1::8, :-1:8]):
        size = np.hypot(sight.x[step][chosen] - x, sight.y[step][chosen] - y)
        result.append(tuple(np.percentile(size, (2, 98))))
    return result[0], result[1]


def samples(ratio: float) -> int:
    return min(MOST_SAMPLES, max(1, math.ceil(ratio - UNFILTERED + 1)))


def _soften(frame: np.ndarray, ratio: float) -> tuple[np.ndarray, int]:
    """The frame without the detail that ``ratio`` times fewer pixels cannot hold, and how
    often it was halved."""
    halvings = 0
    while ratio >= 8 and min(frame.shape[:2]) > 8:
        frame, ratio, halvings = cv2.pyrDown(frame), ratio / 2, halvings + 1
    sigma = 0.36 * math.sqrt(max(ratio**2 - 1, 0))
    if sigma > 0.15:
        frame = cv2.GaussianBlur(frame, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return frame, halvings


def _between(values: np.ndarray, kx: int, ky: int) -> np.ndarray:
    """``values`` at kx x ky evenly spread places in every pixel, continued straight at the rim."""
    height, width = values.shape
    values = np.pad(values, 1, mode="reflect", reflect_type="odd")
    size = ((width + 2) * kx, (height + 2) * ky)
    return cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)[ky:-ky, kx:-kx]
