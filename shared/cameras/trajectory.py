"""A camera over time: the trajectory to shoot, or the camera that shot the clip."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import RecamError
from .lens import check_lenses
from .pose import check_poses

MAX_FRAMES = 1_000_000  # eleven hours at 25 frames a second


def check_frames(frames: int) -> int:
    """The number of frames of a camera, or RecamError ``camera_frames`` outside 1..MAX_FRAMES."""
    if not 1 <= frames <= MAX_FRAMES:
        raise RecamError(
            "camera_frames",
            f"A camera cannot have {frames} frames.",
            f"Give it between 1 and {MAX_FRAMES:,} frames.",
        )
    return frames


@dataclass(frozen=True)
class Trajectory:
    """Pose and lens per clip frame.

    poses: ``(F, 4, 4)`` float64, camera-to-world, OpenCV axes, metres.
    lenses: ``(F, 4)`` float64, see ``lens.py``; one lens ``(4,)`` is taken for every frame.
    rate: frames per second, as a fraction with a denominator of at most a million.

    Raises RecamError ``camera_pose`` / ``camera_lens`` naming the frame, ``camera_rate``,
    ``camera_frames`` (more than ``MAX_FRAMES``).
    """

    poses: np.ndarray
    lenses: np.ndarray
    rate: Fraction

    def __post_init__(self) -> None:
        check_frames(len(self.poses))
        poses = check_poses(self.poses)
        lenses = self.lenses if isinstance(self.lenses, np.ndarray) else list(self.lenses)
        if len(lenses) and np.isscalar(lenses[0]):
            lenses = np.tile(lenses, (len(poses), 1))
        if len(lenses) != len(poses):
            raise RecamError(
                "camera_lens",
                f"The camera has {len(poses)} poses but {len(lenses)} lenses.",
                "Give one lens per frame, or one for all.",
            )
        lenses = check_lenses(lenses)
        try:
            # A float such as 29.97 becomes 2997/100, not the binary fraction beside it.
            rate = Fraction(self.rate).limit_denominator(1_000_000)
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            rate = Fraction(0)
        if rate <= 0:
            raise RecamError(
                "camera_rate",
                f"{self.rate!r} is not a frame rate.",
                "Give frames per second, above 0.",
            )
        object.__setattr__(self, "poses", poses)
        object.__setattr__(self, "lenses", lenses)
        object.__setattr__(self, "rate", rate)

    def __len__(self) -> int:
        return len(self.poses)

    @classmethod
    def standing(
        cls, pose: np.ndarray, lens: np.ndarray, rate: Fraction, frames: int
    ) -> Trajectory:
        """A camera that stands still: one pose ``(4, 4)`` and lens ``(4,)`` for every frame."""
        return cls(np.repeat(pose[None], frames, axis=0), lens, rate)


@dataclass(frozen=True)
class Shot:
    """The two cameras of a re-shoot, and how far away its subject is.

    trajectory: the camera to shoot with.
    source_camera: the camera that shot the clip, as many frames; None if unknown. It is then
        taken to have stood still at the reference pose, with the trajectory's first lens.
    subject_distance: metres from the source camera's first pose to the subject.

    Raises RecamError ``camera_source`` or ``subject_distance``.
    """

    trajectory: Trajectory
    source_camera: Trajectory | None = None
    subject_distance: float = 4.0

    def __post_init__(self) -> None:
        if self.source_camera is not None and len(self.source_camera) != len(self.trajectory):
            raise RecamError(
                "camera_source",
                f"The source camera has {len(self.source_camera)} frames, "
                f"the trajectory {len(self.trajectory)}.",
                "Give both one pose for every frame of the clip.",
            )
        if self.source_camera is not None and self.source_camera.rate != self.trajectory.rate:
            raise RecamError(
                "camera_source",
                f"The source camera has {self.source_camera.rate} frames a second, "
                f"the trajectory {self.trajectory.rate}.",
                "Give both the frame rate of the clip.",
            )
        if not (np.isfinite(self.subject_distance) and self.subject_distance > 0):
            raise RecamError(
                "subject_distance",
                f"{self.subject_distance!r} metres is no distance to a subject.",
                "Give a number above 0.",
            )

    @property
    def reference_pose(self) -> np.ndarray:
        """``(4, 4)``: the source camera's first pose, else the trajectory's own."""
        return (self.source_camera or self.trajectory).poses[0]

    @property
    def assumed_source_camera(self) -> Trajectory:
        """The source camera, or the one that is assumed where none is known."""
        if self.source_camera is not None:
            return self.source_camera
        t = self.trajectory
        return Trajectory.standing(t.poses[0], t.lenses[0], t.rate, len(t))
