"""The public ``camera_extrinsics.json``: ``{"frame0": {"cam01": "[a b c 0] [...] ..."}}``.

Each text is an Unreal matrix for row vectors: the camera's forward, right and up axes and its
position in centimetres as rows, in a left-handed world with z up. Unreal's axes exist here
and nowhere else. The file knows neither frame rate nor lens.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import RecamError
from .json_file import load_json, save_json
from .trajectory import Trajectory, check_frames

PUBLIC_RATE = Fraction(15)  # of the public data set

# Unreal's world (x forward, y right, z up) from a world with OpenCV axes. Its determinant is
# -1: it also changes the hand of the world, so that poses are rotations on our side.
_WORLD = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])
_ROW = re.compile(r"\[([^][]*)\]")


def read(
    path: str | Path,
    lens: np.ndarray,
    camera: str | None = None,
    rate: Fraction = PUBLIC_RATE,
) -> Trajectory:
    """One camera of the file, with a lens ``(4,)`` and frame rate that the file doesn't hold.

    camera: its name, such as ``cam01``; may be None if the file holds only one.
    The world becomes one with OpenCV axes. Raises RecamError ``camera_file``,
    ``camera_format`` naming camera and frame, ``camera_name`` listing the cameras there are,
    ``camera_pose`` naming the frame.
    """
    return from_json(load_json(path), lens, camera, rate)


def names(path: str | Path) -> list[str]:
    """The names of the cameras in the file. Raises as ``read`` does."""
    return list(_frames(load_json(path))[0])


def write(path: str | Path, cameras: dict[str, Trajectory]) -> None:
    """Write cameras of equal length under their names. Lenses and rates are not kept.

    The world is taken to have OpenCV axes; from another world (Blender's, z up) the camera's
    moves are as right, but lie turned in Unreal's world.
    Raises RecamError ``camera_file``, or ``camera_frames`` if there are no cameras or their
    lengths differ.
    """
    lengths = {len(camera) for camera in cameras.values()}
    if len(lengths) != 1:
        raise RecamError(
            "camera_frames",
            f"The cameras have {sorted(lengths)} frames." if lengths else "There are no cameras.",
            "A camera_extrinsics.json holds one or more cameras of the same length.",
        )
    matrices = {name: _to_unreal(camera.poses) for name, camera in cameras.items()}
    data = {
        f"frame{i}": {name: _text(matrix[i]) for name, matrix in matrices.items()}
        for i in range(lengths.pop())
    }
    save_json(path, json.dumps(data, indent=4) + "\n")


def from_json(
    data: object, lens: np.ndarray, camera: str | None = None, rate: Fraction = PUBLIC_RATE
) -> Trajectory:
    """As ``read``, from what ``json.loads`` gave."""
    frames = _frames(data)
    there = list(frames[0])
    if camera is None and len(there) == 1:
        camera = there[0]
    if camera not in there:
        missing = "holds several cameras" if camera is None else f"has no camera {camera!r}"
        raise RecamError(
            "camera_name",
            f"The camera file {missing}.",
            f"Name one of {', '.join(there) or 'none at all'}.",
        )
    matrices = [_matrix(cameras.get(camera), camera, i) for i, cameras in enumerate(frames)]
    return Trajectory(_from_unreal(np.array(matrices)), lens, rate)


def _frames(data: object) -> list[dict]:
    """The cameras of every frame, in order."""
    if not isinstance(data, dict) or not data:
        raise _malformed("The camera file holds no frames.")
    frames = []
    for i in range(check_frames(len(data))):
        cameras = data.get(f"frame{i}")
        if not isinstance(cameras, dict):
            raise _malformed(f"The camera file lacks frame {i}: there is no object 'frame{i}'.")
        frames.append(cameras)
    return frames


def _matrix(text: object, camera: str, frame: int) -> list[list[float]]:
    """``(4, 4)`` numbers of one text."""
    if text is None:
        raise _malformed(f"Camera {camera} is missing at frame {frame}.")
    try:
        rows = [[float(word) for word in row.split()] for row in _ROW.findall(text)]
        right = not _ROW.sub("", text).strip() and [len(row) for row in rows] == [4] * 4
        right = right and [row[3] for row in rows] == [0, 0, 0, 1]
    except (TypeError, ValueError):
        right = False
    if not right:
        raise _malformed(f"Camera {camera} at frame {frame} is not a matrix of this format.")
    return rows


def _malformed(sentence: str) -> RecamError:
    return RecamError(
        "camera_format",
        sentence,
        'A camera_extrinsics.json reads {"frame0": {"cam01": "[a b c 0] [d e f 0] [g h i 0] '
        '[x y z 1]"}, "frame1": ...}.',
    )


def _from_unreal(matrices: np.ndarray) -> np.ndarray:
    """Poses ``(F, 4, 4)``, metres, OpenCV axes and world, of Unreal's ``(F, 4, 4)``."""
    forward, right, up, position = np.moveaxis(matrices[:, :, :3], 1, 0)
    columns = np.stack([right, -up, forward, position / 100], axis=-1)
    poses = np.zeros_like(matrices)
    # A value that is not finite stays so, and is refused with its frame.
    with np.errstate(invalid="ignore"):
        poses[:, :3] = _WORLD.T @ columns
    poses[:, 3, 3] = 1
    return poses


def _to_unreal(poses: np.ndarray) -> np.ndarray:
    right, down, forward, position = np.moveaxis(_WORLD @ poses[:, :3], 2, 0)
    matrices = np.zeros_like(poses)
    matrices[:, :, :3] = np.stack([forward, right, -down, position * 100], axis=1)
    matrices[:, 3, 3] = 1
    return matrices


def _text(matrix: np.ndarray) -> str:
    # Adding 0.0 turns -0.0 into 0.0.
    return "".join(f"[{' '.join(f'{value + 0.0:.15g}' for value in row)}] " for row in matrix)
