"""A trajectory at other times: another frame rate, or spread over another number of frames."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from .slerp import slerp
from .trajectory import Trajectory, check_frames


def resample(trajectory: Trajectory, rate: Fraction, frames: int | None = None) -> Trajectory:
    """The same camera at the same times, in ``rate`` frames per second.

    Frame i shows the time ``i / rate``: rotations on the sphere, positions and lenses linear
    in between, and the last pose held for times after it. ``frames``: how many to make;
    by default as many as fill the same time, rounded, so that 24 at 24 a second are 25 at 25.

    Raises RecamError ``camera_rate`` or ``camera_frames``.
    """
    # One pose is enough for the trajectory to check the rate that will be divided by.
    rate = Trajectory(trajectory.poses[:1], trajectory.lenses[:1], rate).rate
    step = trajectory.rate / rate
    if frames is None:
        frames = max(1, int(len(trajectory) / step + Fraction(1, 2)))
    return _sample(trajectory, rate, check_frames(frames), step)


def over(trajectory: Trajectory, frames: int, rate: Fraction) -> Trajectory:
    """The same path, first pose to last pose, spread evenly over ``frames`` at ``rate``.

    One frame is the first pose. Raises RecamError ``camera_rate`` or ``camera_frames``.
    """
    step = Fraction(len(trajectory) - 1, max(1, check_frames(frames) - 1))
    return _sample(trajectory, rate, frames, step)


def _sample(trajectory: Trajectory, rate: Fraction, frames: int, step: Fraction) -> Trajectory:
    """Frame i of the result is frame ``i * step`` of the trajectory."""
    last = len(trajectory) - 1
    # Fractions in whole numbers, so that a frame which falls on a pose is that pose exactly.
    parts = [divmod(i * step.numerator, step.denominator) for i in range(frames)]
    index = np.array([min(whole, last) for whole, _ in parts])
    weights = np.array([rest / step.denominator if whole < last else 0 for whole, rest in parts])

    following = np.minimum(index + 1, last)
    poses = trajectory.poses[index]
    between = weights > 0
    start, end = poses[between], trajectory.poses[following[between]]
    weight = weights[between]
    poses[between, :3, :3] = slerp(start[:, :3, :3], end[:, :3, :3], weight)
    poses[between, :3, 3] = _linear(start[:, :3, 3], end[:, :3, 3], weight)
    lenses = _linear(trajectory.lenses[index], trajectory.lenses[following], weights)
    return Trajectory(poses, lenses, rate)


def _linear(start: np.ndarray, end: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return start + weights[:, None] * (end - start)
