"""Keyframes for given values: as few as hold them, with handles. Knows nothing of Blender.

A curve between two keyframes is the cubic with their slopes: a Bezier whose handles are a third
of the way long.
"""

from __future__ import annotations

import numpy as np


def slopes(values: np.ndarray) -> np.ndarray:
    """``(F, C)`` per frame, of values ``(F, C)`` at whole frames.

    By differences over five frames, which are exact for a polynomial of the fourth degree; over
    fewer where there are no five.
    """
    frames = len(values)
    if frames < 5:
        return np.gradient(values, axis=0) if frames > 1 else np.zeros_like(values)
    result = np.empty_like(values)
    for where, weights in (
        (0, (-25, 48, -36, 16, -3)),
        (1, (-3, -10, 18, -6, 1)),
        (frames - 2, (-1, 6, -18, 10, 3)),
        (frames - 1, (3, -16, 36, -48, 25)),
    ):
        start = 0 if where < 2 else frames - 5
        result[where] = np.array(weights) @ values[start : start + 5] / 12
    result[2:-2] = (values[:-4] - 8 * values[1:-3] + 8 * values[3:-1] - values[4:]) / 12
    return result


def sparse(values: np.ndarray, slopes: np.ndarray, tolerances: np.ndarray) -> list[int]:
    """The frames to key, first and last among them, so that no value is further off than allowed.

    values, slopes: ``(F, C)``. tolerances: ``(C,)``, of the values at whole frames; a part that
    does not hold is halved.
    """

    def inside(first: int, last: int) -> list[int]:
        curve = cubic(first, last, values, slopes)
        off = np.abs(curve - values[first : last + 1]) / tolerances
        if last - first < 2 or off.max() <= 1:
            return [last]
        middle = (first + last) // 2
        return inside(first, middle) + inside(middle, last)

    return [0] + (inside(0, len(values) - 1) if len(values) > 1 else [])


def cubic(first: int, last: int, values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """``(last - first + 1, C)``: the curve between two keyframes, at whole frames."""
    length = last - first
    s = np.linspace(0, 1, length + 1)[:, None]
    start, end = values[first], values[last]
    m, n = slopes[first] * length, slopes[last] * length
    a, b = m + n - 2 * (end - start), 3 * (end - start) - 2 * m - n
    return start + s * (m + s * (b + s * a))
