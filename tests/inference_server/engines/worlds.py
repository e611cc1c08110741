"""Worlds with a formula: what any camera sees of them is computed, not filmed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from inference_server.engines.projection import ProjectionEngine
from shared.cameras import lens as lenses
from shared.cameras.trajectory import Trajectory

STRAIGHT = np.eye(4)
RATE = Fraction(25)


@dataclass
class Frames:
    """A clip from a list of frames."""

    pictures: list[np.ndarray]
    rate: Fraction = RATE

    def __post_init__(self) -> None:
        self.frames = len(self.pictures)
        self.height, self.width = self.pictures[0].shape[:2]

    def __iter__(self):
        return iter(self.pictures)


def wide(width: int, height: int) -> np.ndarray:
    """The lens of a 35 mm focal length on a 36 mm sensor."""
    return lenses.lens_from_focal(35, 36, width / height)


def camera(poses, lens) -> Trajectory:
    return Trajectory(np.array(poses), lens, RATE)


def shoot(pictures, source, target, settings=None):
    """All frames of a projection, and its report."""
    (rendering,) = ProjectionEngine().render(
        Frames(pictures), source, target, settings or {}, lambda done, total: None, lambda: False
    )
    return list(rendering.frames), rendering.report


def reshoot(picture, lens, pose, target_lens=None, settings=None, source_pose=STRAIGHT):
    """One frame, shot from ``source_pose``, seen from ``pose``; and the report."""
    target = camera([pose], lens if target_lens is None else target_lens)
    frames, report = shoot([picture], camera([source_pose], lens), target, settings)
    return frames[0], report


def rays(pose, lens, width, height, samples=1):
    """Directions ``(h * samples, w * samples, 3)`` in the world through evenly spread points."""
    u = (np.arange(width * samples) + 0.5) / samples
    v = (np.arange(height * samples) + 0.5) / samples
    points = np.dstack([*np.meshgrid(u, v), np.ones((len(v), len(u)))])
    return points @ np.linalg.inv(lenses.matrix(lens, width, height)).T @ pose[:3, :3].T


def meet_plane(pose, lens, width, height, distance=4.0, samples=1):
    """X, Y on the plane ``z = distance`` of the world, and whether the ray meets it."""
    direction = rays(pose, lens, width, height, samples)
    far = (distance - pose[2, 3]) / direction[..., 2]
    point = pose[:3, 3] + far[..., None] * direction
    return point[..., 0], point[..., 1], far > 0


def waves(x, y, fine=11.0):
    """A band-limited texture ``(h, w, 3)``, 8..248."""
    return 128 + np.stack(
        [
            60 * np.sin(fine * x + 0.3) * np.cos(0.7 * fine * y)
            + 60 * np.sin(0.6 * fine * (x + y)),
            120 * np.sin(fine * y),
            120 * np.cos(0.7 * fine * (x - y)),
        ],
        axis=-1,
    )


def as_picture(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def wall(pose, lens, width, height, distance=4.0, fine=11.0) -> np.ndarray:
    """A direct render ``(h, w, 3)`` float64 of the textured plane ``z = distance``."""
    x, y, _ = meet_plane(pose, lens, width, height, distance)
    return waves(x, y, fine)


def in_source(pose, lens, width, height, source_lens=None, rim=2.0, distance=4.0):
    """``(h, w)`` bool: the plane there lies inside the picture of a straight source camera.

    rim: so many source pixels from the edge do not count.
    """
    x, y, ahead = meet_plane(pose, lens, width, height, distance)
    fx, fy, cx, cy = lens if source_lens is None else source_lens
    u, v = (cx + fx * x / distance) * width, (cy + fy * y / distance) * height
    ahead &= pose[2, 3] < distance
    return ahead & (u > rim) & (v > rim) & (u < width - rim) & (v < height - rim)


def psnr(picture, truth, where) -> float:
    return 10 * np.log10(255**2 / np.mean((picture.astype(float) - truth)[where] ** 2))
