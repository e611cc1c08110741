"""A camera's own location and rotation for given places in the world, parents taken out."""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Matrix

from ..scene.blocks import find
from ..shared.errors import RecamError
from .sampling import walking

PATHS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
TOLERANCE = 1e-4  # of a rotation's entries


def rotation_path(camera: bpy.types.Object) -> str:
    """The data path of the rotation that the camera's mode uses."""
    return PATHS.get(camera.rotation_mode, "rotation_euler")


def parents_of(
    stage: bpy.types.Scene,
    camera: bpy.types.Object,
    frames: range,
    on_progress: Callable[[float], None] = lambda share: None,
) -> np.ndarray:
    """``(F, 4, 4)``: what a camera's own transform is multiplied with, its parents' part.

    stage: the scene where it stands.
    """
    if camera.parent is None:
        return np.repeat(np.eye(4)[None], len(frames), axis=0)
    uid, parents = camera.session_uid, []
    with walking(stage, camera) as walked:
        for frame in frames:
            walked.frame_set(frame)
            graph = walked.view_layers[0].depsgraph
            seen = find(bpy.data.objects, uid, "camera").evaluated_get(graph)
            parents.append(seen.matrix_world @ seen.matrix_basis.inverted_safe())
            on_progress(len(parents) / len(frames))
    return np.array(parents)


def channels(
    camera: bpy.types.Object, worlds: np.ndarray, parents: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Location ``(F, 3)`` and rotation ``(F, 3 or 4)`` that put a camera at ``worlds``.

    worlds: ``(F, 4, 4)``, Blender's axes and units, no scale. parents: ``(F, 4, 4)``, as
    ``parents_of`` has them. The camera's scale and deltas stay; rotations go on from its own
    without a jump. Raises RecamError ``camera_parent`` where a parent leans it over.
    """
    basis = np.linalg.inv(parents) @ worlds
    delta_place, delta_turn, flips = _fixed(camera)
    turns = basis[:, :3, :3] / np.linalg.norm(basis[:, :3, :3], axis=1, keepdims=True) * flips
    _check(camera, turns)
    rotations = delta_turn.T @ turns
    return basis[:, :3, 3] - delta_place, _continuous(camera, rotations)


def _fixed(camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What its location and rotation are added to: a place, a rotation, and mirrored axes."""
    basis = np.array(camera.matrix_basis)
    flips = np.sign(np.array(camera.scale) * np.array(camera.delta_scale))
    turn = basis[:3, :3] / np.linalg.norm(basis[:3, :3], axis=0) * flips
    place = basis[:3, 3] - np.array(camera.location)
    return place, turn @ np.linalg.inv(_own_turn(camera)), flips


def _own_turn(camera) -> np.ndarray:
    mode = camera.rotation_mode
    if mode == "QUATERNION":
        return np.array(camera.rotation_quaternion.to_matrix())
    if mode == "AXIS_ANGLE":
        angle, *axis = camera.rotation_axis_angle
        return np.array(Matrix.Rotation(angle, 3, axis))
    return np.array(camera.rotation_euler.to_matrix())


def _check(camera, turns: np.ndarray) -> None:
    """A parent that is scaled unevenly shears what is turned in it: no rotation undoes that."""
    square = np.swapaxes(turns, 1, 2) @ turns - np.eye(3)
    if np.abs(square).max() > TOLERANCE or (np.linalg.det(turns) < 0).any():
        raise RecamError(
            "camera_parent",
            f"A parent of “{camera.name}” is scaled unevenly or mirrored, which leans the camera "
            "over.",
            "Give the parent the same scale along all axes, or clear the camera's parent.",
        )


def _continuous(camera, rotations: np.ndarray) -> np.ndarray:
    """Rotations ``(F, 3, 3)`` in the camera's mode, each the nearest to the one before."""
    mode, rows = camera.rotation_mode, []
    before = getattr(camera, rotation_path(camera))
    for rotation in rotations:
        matrix = Matrix(rotation.tolist())
        if mode == "QUATERNION":
            now = matrix.to_quaternion()
            now.make_compatible(before)
        elif mode == "AXIS_ANGLE":
            now = _axis_angle(matrix, before)
        else:
            now = matrix.to_euler(mode, before)
        rows.append(now[:])
        before = now
    return np.array(rows)


def _axis_angle(matrix: Matrix, before) -> tuple[float, ...]:
    """Angle and axis; of those that turn alike, the nearest to the one before."""
    axis, angle = matrix.to_quaternion().to_axis_angle()
    if np.dot(axis, before[1:]) < 0:
        axis, angle = -axis, -angle
    if abs(angle) < 1e-6 and np.any(before[1:]):
        axis = before[1:]  # no turn has no axis
    angle += 2 * np.pi * round((before[0] - angle) / (2 * np.pi))
    return angle, *axis
