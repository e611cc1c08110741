"""The surface that a depth map gives, and the rays that may meet it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

# Neighbours in a depth map whose depths differ by more than this share belong to two things.
JUMP = 0.05


class Relief(NamedTuple):
    """A source's nearness map with a rim of ``rim`` pixels around, which repeat its edge.

    nearness: ``(h + 2 rim, w + 2 rim)`` float32, one over metres, 0 where unknown.
    jump: as large; how much the nearness differs between a pixel and the three right of it and
        below, 0 where they belong together, inf where one of them is unknown.
    """

    nearness: np.ndarray
    jump: np.ndarray
    rim: int


class Rays(NamedTuple):
    """Rays through one camera's points as the other sees them: it shows ``a + n b`` at n, one
    over the depth along the ray. ``a`` as three float32 planes, ``b`` ``(3,)``."""

    ax: np.ndarray
    ay: np.ndarray
    az: np.ndarray
    b: np.ndarray


def relief_of(nearness: np.ndarray, rim: int) -> Relief:
    """The Relief of a ``(h, w)`` float32 nearness map that is NaN where unknown."""
    known = np.isfinite(nearness)
    nearness = np.where(known, nearness, np.float32(0))
    cell = np.ones((2, 2), np.uint8)
    most = cv2.dilate(nearness, cell, anchor=(0, 0))
    jump = most - cv2.erode(nearness, cell, anchor=(0, 0))
    jump[jump <= JUMP * most] = 0
    if not known.all():
        jump[cv2.dilate((~known).astype(np.uint8), cell, anchor=(0, 0)) > 0] = np.inf
    widen = (rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    return Relief(cv2.copyMakeBorder(nearness, *widen), cv2.copyMakeBorder(jump, *widen), rim)


def rays_of(turn: np.ndarray, shift: np.ndarray, u: np.ndarray, v: np.ndarray) -> Rays:
    """The Rays of points ``u`` ``(w,)`` and ``v`` ``(h, 1)``: ``a = turn (u, v, 1)``, b = shift."""
    u, v, turn = u.astype(np.float32), v.astype(np.float32), turn.astype(np.float32)
    return Rays(*(row[0] * u + (row[1] * v + row[2]) for row in turn), shift.astype(np.float32))
