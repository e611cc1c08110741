"""Keyframes on a camera: what hinders them, and writing them. The others it has stay."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from .. import versions
from ..shared.cameras.trajectory import Trajectory
from ..shared.errors import RecamError
from ..translations import words
from .axes import matrix_world
from .channels import channels, parents_of, rotation_path
from .optics import Frame, blender_lenses

OF_LENS = ("lens", "shift_x", "shift_y")


def hindrance(camera: bpy.types.Object, lens: bool = True) -> str:
    """What hinders a camera from being where its keyframes say, in words; empty where nothing does.

    Parents do not: ``channels`` takes them out. lens: whether its lens is to be keyed too.
    """
    for constraint in camera.constraints:
        if not constraint.mute and constraint.influence > 0:
            return words("its constraint “{name}”", name=constraint.name)
    if lens and camera.data.type != "PERSP":
        return words("a lens that is not perspective")
    if lens and camera.data.users - camera.data.use_fake_user > 1:
        return words("other objects, which share its lens")
    for owner, paths in _owners(camera, lens):
        animation = owner.animation_data
        action = animation.action if animation is not None else None
        if not owner.is_editable or (action is not None and not action.is_editable):
            return words("another file, from which it is linked")
        if animation is None:
            continue
        if any(driver.data_path in paths and not driver.mute for driver in animation.drivers):
            return words("drivers")
        if any(not track.mute for track in animation.nla_tracks):
            return words("strips of the nonlinear animation")
        if any(curve.lock or curve.mute or len(curve.modifiers) for curve in _curves(owner, paths)):
            return words("an animation curve that is locked, muted or modified")
    return ""


def check_free(camera: bpy.types.Object, lens: bool = True) -> None:
    """RecamError ``camera_locked`` where something hinders keyframes."""
    why = hindrance(camera, lens)
    if why:
        raise RecamError(
            "camera_locked",
            words("“{camera}” cannot be keyed: it hangs on {why}.", camera=camera.name, why=why),
            words("Free it from that, or use another camera."),
        )


def has_keys(camera: bpy.types.Object, frames: range) -> bool:
    """Whether the camera has keyframes that ``key_trajectory`` would replace."""
    return any(
        frames[0] <= point.co.x <= frames[-1]
        for owner, paths in _owners(camera, lens=True)
        for curve in _curves(owner, paths)
        for point in curve.keyframe_points
    )


def key_trajectory(
    camera: bpy.types.Object, trajectory: Trajectory, first: int, frame: Frame, stage
) -> None:
    """Key pose and lens of a camera at every frame, from ``first`` on.

    trajectory: its lenses are those of the whole ``frame``. stage: the scene where the camera
    stands. Raises RecamError ``camera_parent``, and has then changed nothing.
    """
    data, frames = camera.data, range(first, first + len(trajectory))
    worlds = matrix_world(trajectory.poses, stage.unit_settings.scale_length)
    places, turns = channels(camera, worlds, parents_of(stage, camera, frames))
    sensor = data.sensor_width, data.sensor_height
    lenses = blender_lenses(trajectory.lenses, frame, data.sensor_fit, sensor)
    key(camera, "location", frames, places)
    key(camera, rotation_path(camera), frames, turns)
    for path, values in zip(OF_LENS, lenses.T, strict=True):
        key(data, path, frames, values[:, None])


def key(
    owner, path: str, frames: Sequence[int], values: np.ndarray, slopes: np.ndarray | None = None
) -> None:
    """Key a property of ``owner`` at ``frames``; keyframes between the first and last go.

    values, slopes: ``(len(frames), C)``; C is 1 for a property that is one number. Slopes are per
    frame; the handles are a third of the way long, and aligned. Without slopes Blender smooths,
    never beyond the values.
    """
    versions.own_action(owner)
    group = "Object Transforms" if isinstance(owner, bpy.types.Object) else ""
    owner.keyframe_insert(path, frame=frames[0], group=group)
    for curve in _curves(owner, (path,)):
        index = curve.array_index
        points = _replaced(curve, frames, values[:, index])
        if slopes is not None:
            _aim(points, slopes[:, index])
        curve.update()
    owner.update_tag(refresh={"TIME"})  # show it as it is at the present frame


def _replaced(curve, frames: Sequence[int], values: np.ndarray) -> list[bpy.types.Keyframe]:
    """The new keyframes, alone from the first of ``frames`` to the last."""
    points = curve.keyframe_points
    for point in reversed(points[:]):
        if frames[0] <= point.co.x <= frames[-1]:
            points.remove(point, fast=True)
    for frame, value in zip(frames, values, strict=True):
        points.insert(frame, value, options={"FAST"})
    new = [point for point in points if frames[0] <= point.co.x <= frames[-1]]
    for point in new:
        point.interpolation = "BEZIER"
        point.handle_left_type = point.handle_right_type = "AUTO_CLAMPED"
    return new


def _aim(points: list[bpy.types.Keyframe], slopes: np.ndarray) -> None:
    for number, (point, slope) in enumerate(zip(points, slopes, strict=True)):
        (x, y), last = point.co, len(points) - 1
        before = x - points[max(number - 1, 0)].co.x or 1
        after = points[min(number + 1, last)].co.x - x or 1
        point.handle_left_type = point.handle_right_type = "ALIGNED"
        point.handle_left = x - before / 3, y - slope * before / 3
        point.handle_right = x + after / 3, y + slope * after / 3


def _owners(camera, lens: bool) -> list[tuple]:
    """What is keyed, and its data paths."""
    of_object = camera, ("location", rotation_path(camera))
    return [of_object, (camera.data, OF_LENS)] if lens else [of_object]


def _curves(owner, paths: Sequence[str]) -> list[bpy.types.FCurve]:
    animation = owner.animation_data
    return [c for c in versions.own_curves(animation) if c.data_path in paths] if animation else []
