"""The lines that show a camera's path in the viewport. Knows nothing of Blender."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..shared.cameras.trajectory import Shot, Trajectory

# Red, green, blue, alpha. They stand out from Blender's dark and light viewports, and from one
# another to eyes that tell red from green badly.
PATH = (0.25, 0.75, 1.0, 1.0)
WRONG = (1.0, 0.4, 0.0, 1.0)
SOURCE = (0.95, 0.95, 0.95, 0.8)
FRUSTUMS = 8  # along the path
FRUSTUM_SIZE = 0.08  # how long one is, of the subject's distance
# Of a pyramid from the eye, point 0, to the corners 1 to 4; and a mark over its upper side.
EDGES = np.array([0, 1, 0, 2, 0, 3, 0, 4, 1, 2, 2, 3, 3, 4, 4, 1, 5, 6, 6, 7, 7, 5])


@dataclass(frozen=True)
class Lines:
    """Ends of N lines: points ``(2 N, 3)`` in Blender's units, colours ``(2 N, 4)``, float32."""

    points: np.ndarray
    colours: np.ndarray


def path_lines(shot: Shot, wrong: np.ndarray, scale_length: float = 1.0) -> Lines:
    """The trajectory with frustums every few frames, and the source camera's first frustum.

    wrong: ``(F,)`` bool, the frames to colour as such: a line is where either of its ends is.
    A source camera that moves has its path too.
    """
    size = FRUSTUM_SIZE * shot.subject_distance
    parts = [_path(shot.trajectory, np.where(wrong[:, None], WRONG, PATH))]
    for frame in every_few(len(shot.trajectory)):
        colour = WRONG if wrong[frame] else PATH
        parts.append(_coloured(frustum(shot.trajectory, frame, size), colour))
    if shot.source_camera is not None:
        source = shot.source_camera
        parts.append(_path(source, np.tile(SOURCE, (len(source), 1))))
        parts.append(_coloured(frustum(source, 0, 2 * size), SOURCE))
    points, colours = (np.concatenate(each) for each in zip(*parts, strict=True))
    return Lines((points / scale_length).astype(np.float32), colours.astype(np.float32))


def every_few(frames: int) -> list[int]:
    """The frames that get a frustum: first, last, and evenly between."""
    return sorted({round(each) for each in np.linspace(0, frames - 1, FRUSTUMS + 1)})


def frustum(camera: Trajectory, frame: int, size: float) -> np.ndarray:
    """``(22, 3)`` metres: the ends of a frustum's lines, ``size`` metres long."""
    fx, fy, cx, cy = camera.lenses[frame]
    left, right, top, bottom = -cx / fx, (1 - cx) / fx, -cy / fy, (1 - cy) / fy
    middle, mark = (left + right) / 2, top - 0.4 * (bottom - top)
    corners = [
        *((0, 0, 0), (left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)),
        *((left * 0.5 + middle * 0.5, top * 1.1, 1), (right * 0.5 + middle * 0.5, top * 1.1, 1)),
        (middle, mark, 1),
    ]
    pose = camera.poses[frame]
    return (size * np.array(corners) @ pose[:3, :3].T + pose[:3, 3])[EDGES]


def _path(camera: Trajectory, colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A line from each frame to the next, in the colour of the wrong one of the two."""
    places = camera.poses[:, :3, 3]
    worst = np.where((colours[1:] == WRONG).all(axis=1, keepdims=True), colours[1:], colours[:-1])
    return np.repeat(places, 2, axis=0)[1:-1], np.repeat(worst, 2, axis=0)


def _coloured(points: np.ndarray, colour) -> tuple[np.ndarray, np.ndarray]:
    return points, np.tile(colour, (len(points), 1))
