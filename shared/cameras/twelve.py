"""The model's camera input: 12 numbers per latent frame.

Rows 0..2 of ``inv(C_ref) @ C_i``, row-major: ``r00 r01 r02 tx r10 ... r22 tz``, where C are
camera-to-world poses in OpenCV axes and metres, and the frames i are 0, 4, 8 and so on.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from ..errors import RecamError
from .pose import check_poses, relative
from .trajectory import Shot

FRAMES_PER_LATENT = 4


def twelve(
    shot: Shot,
    reference: Literal["source", "trajectory"] | np.ndarray = "source",
    step: int = FRAMES_PER_LATENT,
) -> np.ndarray:
    """``(ceil(F / step), 12)`` float64, metres: the trajectory against a reference pose.

    reference: ``source`` is the source camera's first pose (as the public model was trained;
    without a source camera, the trajectory's own), ``trajectory`` is the trajectory's own
    first pose (as the public script runs it), or any pose ``(4, 4)``.

    Raises RecamError ``camera_reference`` for another word.
    """
    if isinstance(reference, str):
        known = {"source": shot.reference_pose, "trajectory": shot.trajectory.poses[0]}
        if reference not in known:
            raise RecamError(
                "camera_reference",
                f"There is no reference pose {reference!r}.",
                "Choose source or trajectory.",
            )
        reference = known[reference]
    return twelve_of(shot.trajectory.poses, reference, step)


def twelve_of(
    poses: np.ndarray, reference: np.ndarray, step: int = FRAMES_PER_LATENT
) -> np.ndarray:
    """``(ceil(F / step), 12)`` float64 of poses ``(F, 4, 4)`` against the pose ``reference``."""
    return relative(reference, poses[::step])[:, :3].reshape(-1, 12)


def poses_from_twelve(vectors: np.ndarray, reference: np.ndarray | None = None) -> np.ndarray:
    """Poses ``(N, 4, 4)`` float64 of ``(N, 12)``, the reference pose by default the identity.

    Raises RecamError ``camera_pose`` naming the first vector that is not a pose.
    """
    poses = np.zeros((len(vectors), 4, 4))
    poses[:, :3] = np.asarray(vectors, dtype=np.float64).reshape(-1, 3, 4)
    poses[:, 3, 3] = 1
    poses = check_poses(poses)
    return poses if reference is None else reference @ poses
