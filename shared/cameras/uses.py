"""Trajectories for what the model was also shown to do: steadying a shot, closer, wider.

All stay near the source camera, and start at its first pose: there the model knows what to show.
"""

from __future__ import annotations

import numpy as np

from ..errors import RecamError
from .pose import pose
from .slerp import matrices, quaternions
from .trajectory import Shot, Trajectory

# How far a Gaussian is followed, in standard deviations; what lies beyond is 0.3 %.
FAR = 3
MOST_ROUNDS = 20


def stabilised(source_camera: Trajectory, seconds: float | None = 1.0) -> Trajectory:
    """The source camera without its shake.

    seconds: movements that take less are gone: poses and lenses become averages under a Gaussian
    whose standard deviation is half of it. A steady pan, move or zoom stays what it is. None:
    the camera stands still at its first pose, with its first lens.

    Positions and lenses are averaged as they are, rotations on the sphere (the Karcher mean;
    Moakher, Means and averaging in the group of rotations, 2002). Beyond its ends the camera is
    continued by its mirror image in the end's pose, so that first and last pose stay exactly.

    Raises RecamError ``seconds``.
    """
    source = source_camera
    if seconds is None:
        return Trajectory.standing(source.poses[0], source.lenses[0], source.rate, len(source))
    if not (np.isfinite(seconds) and seconds > 0):
        raise RecamError(
            "seconds", f"A camera cannot be steadied over {seconds!r} seconds.", "Give some."
        )
    spread = float(seconds * source.rate) / 2
    reach = min(int(np.ceil(FAR * spread)), len(source) - 1)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / spread) ** 2)
    weights /= weights.sum()
    poses = source.poses.copy()
    poses[:, :3, 3] = _average(source.poses[:, :3, 3], weights)
    poses[:, :3, :3] = matrices(_average_turns(quaternions(source.poses[:, :3, :3]), weights))
    # A zoom is a matter of factors, and a factor cannot become negative.
    lenses = source.lenses.copy()
    lenses[:, :2] = np.exp(_average(np.log(source.lenses[:, :2]), weights))
    lenses[:, 2:] = _average(source.lenses[:, 2:], weights)
    return Trajectory(poses, lenses, source.rate)


def zoom_in(shot: Shot, factor: float, seconds: float | None = None) -> Trajectory:
    """Super-resolution: closer and closer until the subject is ``factor`` times as large.

    The source camera is carried along its line of sight, at constant speed from 0 on; its lens
    stays. The subject is taken to stay at ``shot.subject_distance`` from it. seconds: how long
    the move takes, after which the distance is kept; by default the whole clip.

    Raises RecamError ``zoom_factor`` below 1, ``seconds``.
    """
    return _carried(shot, factor, shot.subject_distance * (1 - 1 / max(factor, 1)), seconds)


def zoom_out(shot: Shot, factor: float, seconds: float | None = None) -> Trajectory:
    """Outpainting: farther and farther until the subject is ``factor`` times as small.

    Otherwise as ``zoom_in``.
    """
    return _carried(shot, factor, shot.subject_distance * (1 - factor), seconds)


def _carried(shot: Shot, factor: float, metres: float, seconds: float | None) -> Trajectory:
    """The source camera, in the end ``metres`` further along its line of sight."""
    if not (np.isfinite(factor) and factor >= 1):
        raise RecamError("zoom_factor", f"{factor!r} is no zoom.", "Give a factor of 1 or more.")
    source = shot.assumed_source_camera
    last = len(source) - 1
    if seconds is not None:
        if not (np.isfinite(seconds) and seconds > 0):
            raise RecamError("seconds", f"No move takes {seconds!r} seconds.", "Give some.")
        last = min(last, float(seconds * source.rate))
    shares = np.minimum(np.arange(len(source)) / max(last, 1e-9), 1)
    steps = np.array([pose(position=(0, 0, metres * share)) for share in shares])
    return Trajectory(source.poses @ steps, source.lenses, source.rate)


def _average(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``(F, n)``: each row the mean of its neighbourhood, ``weights`` ``(2 reach + 1,)``."""
    reach = len(weights) // 2
    # Point reflection at either end.
    longer = np.concatenate(
        [2 * values[0] - values[reach:0:-1], values, 2 * values[-1] - values[-2 : -reach - 2 : -1]]
    )
    total = np.zeros_like(values)
    for number, weight in enumerate(weights):
        total += weight * longer[number : number + len(values)]
    return total


def _average_turns(turns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``(F, 4)``: each quaternion the mean of its neighbourhood on the sphere."""
    reach, frames = len(weights) // 2, len(turns)
    first, last = turns[:1], turns[-1:]
    # The mirror image of q in the pose e is e q^-1 e: as far from e, the other way.
    longer = np.concatenate(
        [
            _product(_product(first, _inverse(turns[reach:0:-1])), first),
            turns,
            _product(_product(last, _inverse(turns[-2 : -reach - 2 : -1])), last),
        ]
    )
    mean = turns.copy()
    for _ in range(MOST_ROUNDS):
        away = np.zeros((frames, 3))
        for number, weight in enumerate(weights):
            away += weight * _log(_product(_inverse(mean), longer[number : number + frames]))
        mean = _product(mean, _exp(away))
        if np.abs(away).max() < 1e-12:
            break
    return mean


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Quaternions ``(F, 4)``, w x y z: first b, then a."""
    w = a[:, :1] * b[:, :1] - np.sum(a[:, 1:] * b[:, 1:], axis=1, keepdims=True)
    return np.hstack([w, a[:, :1] * b[:, 1:] + b[:, :1] * a[:, 1:] + np.cross(a[:, 1:], b[:, 1:])])


def _inverse(q: np.ndarray) -> np.ndarray:
    return q * (1, -1, -1, -1)


def _log(q: np.ndarray) -> np.ndarray:
    """``(F, 3)``: half the turn of unit quaternions, radians along its axis, the shorter way."""
    q = np.where(q[:, :1] < 0, -q, q)
    size = np.linalg.norm(q[:, 1:], axis=1, keepdims=True)
    # The angle over its sine, which is 1 at 0.
    return q[:, 1:] / np.sinc(np.arctan2(size, q[:, :1]) / np.pi)


def _exp(half: np.ndarray) -> np.ndarray:
    angle = np.linalg.norm(half, axis=1, keepdims=True)
    return np.hstack([np.cos(angle), half * np.sinc(angle / np.pi)])
