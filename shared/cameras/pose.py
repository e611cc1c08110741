"""Poses: camera-to-world, 4x4 float64, OpenCV axes (x right, y down, z forward), metres."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import RecamError

# How far R^T R may be from the identity. Five printed digits (the public file) give 2e-5.
ROTATION_TOLERANCE = 1e-3


def check_poses(poses) -> np.ndarray:
    """Poses as a ``(F, 4, 4)`` float64 array, or RecamError ``camera_pose`` naming the frame.

    Refused: no poses at all, a missing one (None), another shape, values that are not finite,
    a mirrored or scaled or sheared rotation, a last row that is not (0, 0, 0, 1).
    """
    poses = poses if isinstance(poses, np.ndarray) else list(poses)
    if not len(poses):
        raise RecamError("camera_pose", "The camera has no poses.", "Give one pose per frame.")
    if _what_is_wrong(poses):
        frame = first_wrong(poses, _what_is_wrong)
        raise RecamError(
            "camera_pose",
            f"The camera's pose at frame {frame} {_what_is_wrong(poses[frame : frame + 1])}.",
            "A pose is a 4x4 camera-to-world matrix: a rotation and a position in metres.",
        )
    checked = np.array(poses, dtype=np.float64)
    checked[:, 3] = (0, 0, 0, 1)
    return checked


def first_wrong(rows: Sequence, wrong: Callable[[Sequence], object]) -> int:
    """The first of ``rows`` that ``wrong`` says yes to, which it does to all of them together.

    Halved again and again: row by row takes a hundred thousand calls to find the last one.
    """
    low, high = 0, len(rows)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wrong(rows[low:middle]) else (middle, high)
    return low


def _what_is_wrong(poses: Sequence) -> str:
    if not isinstance(poses, np.ndarray) and any(pose is None for pose in poses):
        return "is missing"
    try:
        array = np.array(poses, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return "is not a 4x4 matrix of numbers"
    if array.shape[1:] != (4, 4):
        return f"has the shape {array.shape[1:]} instead of (4, 4)"
    if not np.isfinite(array).all():
        return "holds a value that is not finite"
    if np.abs(array[:, 3] - (0, 0, 0, 1)).max() > 1e-6:
        return "does not end in the row (0, 0, 0, 1)"
    rotations = array[:, :3, :3]
    # Values beyond any rotation's first, so that the products below cannot overflow.
    if np.abs(rotations).max() > 2 or (
        np.abs(np.swapaxes(rotations, 1, 2) @ rotations - np.eye(3)).max() > ROTATION_TOLERANCE
    ):
        return "is not a rotation (its axes are scaled or not at right angles)"
    if (np.linalg.det(rotations) < 0).any():
        return "is mirrored"
    return ""


def pose(rotation=None, position=(0.0, 0.0, 0.0)) -> np.ndarray:
    """A ``(4, 4)`` pose from a ``(3, 3)`` rotation (default: none) and a position in metres."""
    result = np.eye(4)
    if rotation is not None:
        result[:3, :3] = rotation
    result[:3, 3] = position
    return result


def inverse(poses: np.ndarray) -> np.ndarray:
    """World-to-camera of camera-to-world poses ``(..., 4, 4)``; exact for rotations."""
    result = np.zeros_like(poses)
    transposed = np.swapaxes(poses[..., :3, :3], -1, -2)
    result[..., :3, :3] = transposed
    result[..., :3, 3] = -(transposed @ poses[..., :3, 3:])[..., 0]
    result[..., 3, 3] = 1.0
    return result


def relative(reference: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """``inv(reference) @ poses``: poses ``(..., 4, 4)`` seen from the camera ``(4, 4)``."""
    return inverse(reference) @ poses


def rotation_y(angle: float) -> np.ndarray:
    """``(3, 3)`` turn about the camera's y (down) axis, radians; positive looks to the right."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]], dtype=np.float64)


def rotation_x(angle: float) -> np.ndarray:
    """``(3, 3)`` turn about the camera's x (right) axis, radians; positive looks up."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]], dtype=np.float64)


def rotation_about(vector) -> np.ndarray:
    """``(3, 3)`` turn about ``vector`` ``(3,)`` by its length in radians (Rodrigues)."""
    x, y, z = np.asarray(vector, dtype=np.float64)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.sqrt(x * x + y * y + z * z)
    # np.sinc(a / pi) is sin(a) / a, finite at 0.
    return (
        np.eye(3)
        + np.sinc(angle / np.pi) * cross
        + np.sinc(angle / 2 / np.pi) ** 2 / 2 * cross @ cross
    )


def look_at(position, target, down=(0.0, 1.0, 0.0)) -> np.ndarray:
    """``(4, 4)`` pose at ``position`` facing ``target``, both in metres, level.

    The picture's down stays as near as it can to the direction ``down``, by default the y axis of
    the frame that all are given in.
    Raises RecamError ``camera_pose`` if the two points coincide or lie above one another.
    """
    forward = np.asarray(target, dtype=np.float64) - np.asarray(position, dtype=np.float64)
    right = np.cross(down, forward)
    if np.linalg.norm(right) < 1e-9:
        raise RecamError(
            "camera_pose",
            "A camera cannot face a point at its own place or straight above or below it.",
            "Move the camera or the subject.",
        )
    forward /= np.linalg.norm(forward)
    right /= np.linalg.norm(right)
    return pose(np.stack([right, np.cross(forward, right), forward], axis=1), position)
