"""A move as keyframes on the camera, over a strip."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from .. import versions
from ..settings import subject_metres
from ..shared.cameras.moves import MOVES, make_move
from ..shared.cameras.trajectory import Trajectory
from ..shared.errors import RecamError
from .axes import matrix_world
from .channels import channels, parents_of, rotation_path
from .keyframes import slopes, sparse
from .keys import check_free, key
from .move_settings import parameter_values
from .optics import blender_lenses
from .rig import alive
from .sampling import CameraSampler, frame_of, stage_of

# How far the keyframed camera may be from the move at any frame: of the subject's distance, and
# in radians. At 4 m that is 0.4 mm; 0.006 degrees are a tenth of a pixel in 832.
PLACE_TOLERANCE, TURN_TOLERANCE = 1e-4, 1e-4
SLICE_SECONDS = 0.2  # between two reports of progress
UP = (0.0, 0.0, 1.0)  # Blender's world
LENS_TOLERANCE = 1e-6  # a source lens that varies less is a fixed one


def strip_frames(strip: bpy.types.Strip) -> range:
    """The scene's frames that a strip is shown at."""
    return range(versions.first_frame(strip), versions.end_frame(strip))


def camera_of(scene: bpy.types.Scene, frame: int) -> bpy.types.Object:
    """The camera to re-shoot with: that of the settings, else the scene's at that frame.

    Raises RecamError ``camera_missing``.
    """
    camera = alive(scene.recam.camera) or _scene_camera(scene, frame)
    if camera is None or camera.type != "CAMERA":
        raise RecamError(
            "camera_missing",
            "There is no camera to put the move on.",
            "Set up the camera for the strip, or add one to the scene.",
        )
    return camera


def add_move(
    scene: bpy.types.Scene, frames: range, on_progress: Callable[[float], None] = lambda share: None
) -> tuple[bpy.types.Object, int]:
    """Put the move of ``scene.recam_move`` on the camera as keyframes; the camera, and how many.

    It begins at the source camera's pose at the first of ``frames``, or, where there is none, at
    the camera's own. Keyframes of place and rotation within ``frames`` are replaced. Raises
    RecamError, and has then changed nothing.
    """
    settings = scene.recam_move
    move = MOVES[settings.move]
    source = alive(scene.recam.source_camera)
    camera = camera_of(scene, frames[0])
    _check(camera, source)
    if move.path is None and source is None:
        raise RecamError(
            "move_source",
            "There is no source camera whose move could be smoothed.",
            "Choose the camera that shot the clip as Source, such as Blender's solve of it.",
        )
    read = frames if move.path is None else frames[:1]
    begin, distance = _start(scene, read, source or camera, on_progress)
    path = make_move(
        move.name,
        len(frames),
        begin.rate,
        begin.lenses[0],
        begin.poses[0],
        distance,
        parameter_values(settings),
        begin,
        up=UP,
    )
    stage = stage_of(scene, camera)
    unit = stage.unit_settings.scale_length
    parents = parents_of(stage, camera, frames, on_progress)
    places, turns = channels(camera, matrix_world(path.poses, unit), parents)
    values = np.hstack([places, turns])
    size = np.linalg.norm(parents[:, :3, 0], axis=1).max() * unit
    tolerances = [PLACE_TOLERANCE * distance / size] * 3 + [TURN_TOLERANCE] * turns.shape[1]
    speeds = slopes(values)
    keyed = sparse(values, speeds, np.array(tolerances)) if move.sparse else range(len(frames))
    lenses = _lenses(scene, camera, path)

    numbers, chosen = [frames[i] for i in keyed], list(keyed)
    key(camera, "location", numbers, values[chosen, :3], speeds[chosen, :3])
    key(camera, rotation_path(camera), numbers, values[chosen, 3:], speeds[chosen, 3:])
    if lenses is not None:
        key(camera.data, "lens", numbers, lenses[chosen], slopes(lenses)[chosen])
    return camera, len(numbers)


def _check(camera, source) -> None:
    if camera == source:
        raise RecamError(
            "camera_locked",
            f"“{camera.name}” is the camera that shot the clip.",
            "Choose another camera to re-shoot with.",
        )
    check_free(camera, lens=False)


def _start(scene, frames: range, camera, on_progress) -> tuple[Trajectory, float]:
    """The camera that the move begins with, and metres from it to the subject."""
    subject = alive(scene.recam.subject)
    sampler = CameraSampler(scene, frames, camera, subject=subject)
    while (share := sampler.step(SLICE_SECONDS)) < 1:
        on_progress(share)
    begin = sampler.trajectory()
    metres = subject_metres(scene.recam, scene, begin.poses[0], sampler.subject_place)
    return begin, metres


def _lenses(scene, camera, path: Trajectory) -> np.ndarray | None:
    """``(F, 1)`` millimetres where the move's lens changes; None where it stays."""
    zoom, data = path.lenses[:, 0], camera.data
    if np.abs(zoom / zoom[0] - 1).max() < LENS_TOLERANCE:
        return None
    check_free(camera)
    sensor = data.sensor_width, data.sensor_height
    return blender_lenses(path.lenses, frame_of(scene), data.sensor_fit, sensor)[:, :1]


def _scene_camera(scene, frame: int) -> bpy.types.Object | None:
    """The scene's camera at a frame: markers switch it, the first holds before it too."""
    marks = sorted((m for m in scene.timeline_markers if m.camera), key=lambda m: m.frame)
    passed = [mark for mark in marks if mark.frame <= frame]
    return (passed[-1] if passed else marks[0]).camera if marks else scene.camera
