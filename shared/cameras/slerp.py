"""Turning from one rotation to another on the sphere: the shortest way, at constant speed."""

from __future__ import annotations

import numpy as np


def slerp(start: np.ndarray, end: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Rotations ``(N, 3, 3)`` between ``start`` and ``end``, both ``(N, 3, 3)``, float64.

    weights: ``(N,)``; 0 is start, 1 is end. Half a turn, which has no shortest way, goes one
    of the two ways. Formula: Shoemake, "Animating rotation with quaternion curves", 1985.
    """
    a, b = quaternions(start), quaternions(end)
    # q and -q are the same rotation; the nearer of the two is the shorter way round.
    b = np.where(np.sum(a * b, axis=1, keepdims=True) < 0, -b, b)
    # This form of the angle keeps its digits where the arc cosine of the product loses them.
    angle = 2 * np.arctan2(np.linalg.norm(a - b, axis=1), np.linalg.norm(a + b, axis=1))[:, None]
    weights = np.asarray(weights, dtype=np.float64)[:, None]
    # np.sinc(x / pi) is sin(x) / x, finite at 0.
    width = np.sinc(angle / np.pi)
    towards_start = (1 - weights) * np.sinc((1 - weights) * angle / np.pi) / width
    towards_end = weights * np.sinc(weights * angle / np.pi) / width
    return matrices(towards_start * a + towards_end * b)


def quaternions(rotations: np.ndarray) -> np.ndarray:
    """Unit quaternions ``(N, 4)``, w x y z, of rotations ``(N, 3, 3)``; either sign.

    Row k of the symmetric matrix below is 4 q_k q, so its row with the largest diagonal is
    the quaternion at its best-conditioned, half turns included (Shepperd, 1978).
    """
    m = np.asarray(rotations, dtype=np.float64)
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 1, 0] + m[:, 0, 1], m[:, 0, 2] + m[:, 2, 0], m[:, 2, 1] + m[:, 1, 2]
    rows = np.array(
        [
            [1 + xx + yy + zz, wx, wy, wz],
            [wx, 1 + xx - yy - zz, xy, xz],
            [wy, xy, 1 - xx + yy - zz, yz],
            [wz, xz, yz, 1 - xx - yy + zz],
        ]
    )
    largest = np.argmax(np.diagonal(rows, axis1=0, axis2=1), axis=1)
    chosen = rows[largest, :, np.arange(len(m))]
    return chosen / np.linalg.norm(chosen, axis=1, keepdims=True)


def matrices(quaternions: np.ndarray) -> np.ndarray:
    """Rotations ``(N, 3, 3)`` of quaternions ``(N, 4)``, w x y z, of any length but 0."""
    w, x, y, z = (quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)
