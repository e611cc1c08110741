"""A trajectory onto a Blender camera: a key for every frame."""

from __future__ import annotations

from math import tau

import bpy
import numpy as np
from mathutils import Matrix, Vector

from .. import versions
from ..camera.axes import matrix_world
from ..shared.cameras.trajectory import Trajectory
from ..translations import words
from .optics import Frame, blender_lenses

OF_OBJECT = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle")
OF_LENS = ("lens", "shift_x", "shift_y")


def key_camera(
    camera: bpy.types.Object, trajectory: Trajectory, first: int, frame: Frame, scale_length: float
) -> None:
    """Key pose and lens of a camera that hangs on nothing, from frame ``first`` on.

    Keys it had in these frames are replaced, others stay. trajectory: its lenses are those of the
    whole ``frame``. scale_length: metres per unit.
    """
    data = camera.data
    last = first + len(trajectory) - 1
    for owner, paths in ((camera, OF_OBJECT), (data, OF_LENS)):
        _clear(owner, paths, first, last)
    lenses = blender_lenses(
        trajectory.lenses, frame, data.sensor_fit, (data.sensor_width, data.sensor_height)
    )
    worlds = matrix_world(trajectory.poses, scale_length)
    for number, (world, lens) in enumerate(zip(worlds, lenses, strict=True), first):
        _turn(camera, world)
        camera.location = world[:3, 3]
        camera.keyframe_insert("location", frame=number)
        camera.keyframe_insert(_rotation(camera), frame=number)
        for path, value in zip(OF_LENS, lens, strict=True):
            setattr(data, path, value)
            data.keyframe_insert(path, frame=number)


def keyed(camera: bpy.types.Object, first: int, last: int) -> bool:
    """Whether the camera has keys that ``key_camera`` would replace."""
    return any(
        first <= point.co[0] <= last
        for owner, paths in ((camera, OF_OBJECT), (camera.data, OF_LENS))
        for curve in _curves(owner, paths)
        for point in curve.keyframe_points
    )


def hangs(camera: bpy.types.Object) -> str:
    """What else than its own keys moves the camera, in words; empty where nothing does."""
    if camera.parent is not None:
        return words("its parent “{name}”", name=camera.parent.name)
    for constraint in camera.constraints:
        if constraint.enabled:
            return words("its constraint “{name}”", name=constraint.name)
    for owner in (camera, camera.data):
        animation = owner.animation_data
        if animation is not None and len(animation.drivers):
            return words("drivers")
        if animation is not None and len(animation.nla_tracks):
            return words("strips of the nonlinear animation")
        if owner.library is not None:
            return words("another file, from which it is linked")
    return ""


def _curves(owner, paths) -> list:
    if owner.animation_data is None:
        return []
    return [c for c in versions.curves(owner.animation_data) if c.data_path in paths]


def _clear(owner, paths, first: int, last: int) -> None:
    for curve in _curves(owner, paths):
        for point in reversed(curve.keyframe_points):
            if first <= point.co[0] <= last:
                curve.keyframe_points.remove(point, fast=True)
        curve.update()


def _rotation(camera) -> str:
    modes = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
    return modes.get(camera.rotation_mode, "rotation_euler")


def _turn(camera, world: np.ndarray) -> None:
    """Turn the camera as ``world``, without a jump from where it is turned now."""
    rotation = Matrix(world[:3, :3].tolist())
    mode = camera.rotation_mode
    if mode == "QUATERNION":
        turn = rotation.to_quaternion()
        turn.make_compatible(camera.rotation_quaternion)
        camera.rotation_quaternion = turn
    elif mode == "AXIS_ANGLE":
        axis, angle = rotation.to_quaternion().to_axis_angle()
        before = camera.rotation_axis_angle
        if axis.dot(Vector(before[1:])) < 0:
            axis, angle = -axis, -angle
        angle += tau * round((before[0] - angle) / tau)
        camera.rotation_axis_angle = (angle, *axis)
    else:
        camera.rotation_euler = rotation.to_euler(mode, camera.rotation_euler)
