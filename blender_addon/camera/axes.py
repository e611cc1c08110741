"""Blender's camera axes and Recam's, and nothing of Blender itself.

Blender: camera-to-world ``matrix_world``, looking along -z, y up, in scene units, with the
object's scale in its columns. Recam: camera-to-world, OpenCV axes (looking along +z, y down),
metres, no scale. The world itself stays as Blender has it, z up.
"""

from __future__ import annotations

import numpy as np

_FLIP = np.array([1.0, -1.0, -1.0, 1.0])  # of the columns: right, up, backward, position


def trajectory_pose(matrix_world, scale_length: float = 1.0) -> np.ndarray:
    """Pose(s) ``(..., 4, 4)`` float64 in metres of Blender's ``matrix_world`` ``(..., 4, 4)``.

    scale_length: the scene's ``unit_settings.scale_length``, metres per unit. Scale is taken
    out of the axes; a matrix that then is no rotation (mirrored, sheared, flat) is left for
    the trajectory to refuse, which knows the frame.
    """
    matrix = np.array(matrix_world, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix[..., :3, :3] /= np.linalg.norm(matrix[..., :3, :3], axis=-2, keepdims=True)
    matrix[..., :3, 3] *= scale_length
    return matrix * _FLIP


def matrix_world(pose: np.ndarray, scale_length: float = 1.0) -> np.ndarray:
    """Blender's ``matrix_world`` ``(..., 4, 4)`` of pose(s) ``(..., 4, 4)``: the inverse."""
    matrix = np.asarray(pose, dtype=np.float64) * _FLIP
    matrix[..., :3, 3] /= scale_length
    return matrix
