"""Projection onto a plane that faces the source camera: a homography."""

from __future__ import annotations

import numpy as np

from shared.cameras import lens as lenses
from shared.cameras import pose as poses

from .sight import Sight, margin


def homography(source_pose, source_lens, target_pose, target_lens, distance, width, height):
    """``(3, 3)`` float64 from target to source pixels, or None where nothing can be seen.

    Poses ``(4, 4)``, lenses ``(4,)``; distance: metres from the source camera to the plane;
    width, height: pixels of both pictures. Its third row, times a target pixel, is positive
    where the plane is in view. With ``X_s = R X_t + t`` and the plane ``z_s = d``, a target ray r
    meets it at ``t + (d - t_z) / (R r)_z R r``. None if the target camera stands on or behind it.
    """
    relative = poses.relative(source_pose, target_pose)
    rotation, position = relative[:3, :3], relative[:3, 3]
    if position[2] >= distance * (1 - 1e-6):
        return None
    onto = (distance - position[2]) * rotation + np.outer(position, rotation[2])
    target = np.linalg.inv(lenses.matrix(target_lens, width, height))
    result = lenses.matrix(source_lens, width, height) @ onto @ target
    return result / distance


def is_identity(matrix: np.ndarray | None) -> bool:
    """Whether a homography leaves every pixel where it is, to 1e-9 (in pixels at the corners)."""
    return matrix is not None and np.abs(matrix / matrix[2, 2] - np.eye(3)).max() < 1e-9


def sight(matrix: np.ndarray | None, width: int, height: int) -> Sight:
    """The Sight of a homography from ``homography``, for pictures of width x height pixels."""
    if matrix is None:
        nowhere = np.zeros((height, width), np.float32)
        return Sight(nowhere, nowhere, np.zeros((height, width), bool))
    matrix = matrix.astype(np.float32)
    u = np.arange(width, dtype=np.float32) + np.float32(0.5)
    v = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    x, y, z = (row[0] * u + (row[1] * v + row[2]) for row in matrix)
    hit = z > 1e-6
    scale = 1 / np.where(hit, z, np.float32(1))
    edge = margin(width) + 1
    x = np.clip(x * scale - np.float32(0.5), -edge, width - 1 + edge)
    y = np.clip(y * scale - np.float32(0.5), -edge, height - 1 + edge)
    return Sight(x, y, hit)
