"""Rough guesses, for every target pixel, of the surfaces that its ray may meet.

A quarter of the source's pixels is thrown forward into cells of the target picture, which keep
the nearest and the farthest of what falls into them.
"""

from __future__ import annotations

import cv2
import numpy as np

from .relief import JUMP, Rays, Relief, rays_of

# A surface stretched over more cells than this, between two of its pixels, is not seen at all.
MOST_BETWEEN = 16


def guesses(relief: Relief, turn, shift, shape) -> tuple[np.ndarray, np.ndarray]:
    """``near, far``: ``shape`` float32 each, one over target depth, NaN where nothing is.

    turn ``(3, 3)``, shift ``(3,)``: target pixels to places in the relief's maps, see ``Rays``;
    shape: ``(height, width)`` of the target picture.
    """
    height, width = shape
    block = np.ones((2, 2), np.uint8)
    known = np.isfinite(relief.jump)
    missing = np.where(known, relief.nearness, np.float32(np.inf))
    nearest = cv2.dilate(relief.nearness, block, anchor=(0, 0))[::2, ::2]
    farthest = cv2.erode(missing, block, anchor=(0, 0))[::2, ::2]
    known = np.isfinite(farthest)
    farthest = np.where(known, farthest, 0)
    back = np.linalg.inv(turn)
    middle = np.arange(max(nearest.shape)) * 2 + 0.5
    s = rays_of(back, -back @ shift, middle[: nearest.shape[1]], middle[: nearest.shape[0], None])
    thrown = _throw(nearest, s, known)
    u, v, _, good = thrown
    step = np.hypot(np.diff(u, axis=1)[:-1], np.diff(v, axis=0)[:, :-1])
    step = step[(good & (u > 0) & (v > 0) & (u < width) & (v < height))[:-1, :-1]]
    if not step.size:
        nothing = np.full(shape, np.nan, np.float32)
        return nothing, nothing
    cell = int(np.clip(np.ceil(1.7 * np.median(step)), 4, 64))
    cells = (-(-height // cell) + 2, -(-width // cell) + 2)
    near = np.full(cells, -1, np.float32)
    _spread(np.maximum, near, nearest, thrown, cell)
    far = np.full(cells, np.inf, np.float32)
    _spread(np.minimum, far, farthest, _throw(farthest, s, known), cell)
    around = np.ones((3, 3), np.uint8)
    near, far = cv2.dilate(near, around), cv2.erode(far, around)
    near[near < 0] = np.nan
    far[np.isinf(far)] = np.nan
    inner = np.s_[cell : cell + height, cell : cell + width]
    return tuple(cv2.resize(m, None, fx=cell, fy=cell, interpolation=0)[inner] for m in (near, far))


def _throw(nearness: np.ndarray, s: Rays, known: np.ndarray) -> tuple[np.ndarray, ...]:
    """Source pixels in the target: place u, v, one over depth, and whether their face shows."""
    z = s.az + nearness * s.b[2]
    good = known & (z > 1e-6)
    z = np.where(good, z, np.float32(1))
    u, v = (s.ax + nearness * s.b[0]) / z, (s.ay + nearness * s.b[1]) / z
    # Seen from behind, a face is mirrored.
    mirrored = np.diff(u, axis=1)[:-1] * np.diff(v, axis=0)[:, :-1]
    mirrored = mirrored < np.diff(u, axis=0)[:, :-1] * np.diff(v, axis=1)[:-1]
    good[:-1, :-1] &= ~mirrored
    return u, v, nearness / z, good


def _spread(choose, cells: np.ndarray, nearness: np.ndarray, thrown, cell: int) -> None:
    """Put what was thrown into cells, and between neighbours on one surface that fell apart."""
    u, v, n, good = thrown
    _put(choose, cells, u[good], v[good], n[good], cell)
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        apart = np.maximum(np.abs(u[one] - u[other]), np.abs(v[one] - v[other])) / cell
        jump = np.abs(nearness[one] - nearness[other])
        whole = jump <= 2 * JUMP * np.maximum(nearness[one], nearness[other])
        wide = good[one] & good[other] & whole & (apart > 1) & (apart < MOST_BETWEEN)
        if not wide.any():
            continue
        ends = [(values[one][wide], values[other][wide]) for values in (u, v, n)]
        for share in np.linspace(0, 1, int(apart[wide].max()) + 2, dtype=np.float32)[1:-1]:
            _put(choose, cells, *(a + share * (b - a) for a, b in ends), cell)


def _put(choose, cells, u, v, n, cell) -> None:
    rows, columns = cells.shape
    column = np.floor(u * np.float32(1 / cell)) + 1
    row = np.floor(v * np.float32(1 / cell)) + 1
    good = (row >= 0) & (column >= 0) & (row < rows) & (column < columns)
    index = row[good].astype(np.int32) * columns + column[good].astype(np.int32)
    choose.at(cells.reshape(-1), index, n[good])
