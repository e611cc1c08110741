"""Writing keyframes on an object: those in a range are replaced, the others stay."""

from __future__ import annotations

import bpy
import numpy as np

from .. import versions
from ..shared.errors import RecamError


def check_editable(owner, paths: tuple[str, ...]) -> None:
    """RecamError ``camera_locked`` where keyframes of these data paths could not be written, or
    would not be what shows."""
    if not owner.is_editable:
        raise _locked(owner, "is linked from another file", "Make it local, or use another camera")
    animation = owner.animation_data
    if animation is None:
        return
    for driver in animation.drivers:
        if driver.data_path in paths and not driver.mute:
            raise _locked(owner, "has a driver that moves it", "Remove it, or use another camera")
    if any(not track.mute for track in animation.nla_tracks):
        raise _locked(owner, "has NLA tracks", "Mute them, or use another camera")
    if animation.action is not None and not animation.action.is_editable:
        raise _locked(owner, "has an action of another file", "Make it local")
    for curve in versions.curves(animation):
        if curve.data_path in paths and (curve.lock or curve.mute or len(curve.modifiers)):
            raise _locked(
                owner,
                "has an animation curve that is locked, muted or modified",
                "Free it in the Graph Editor, or use another camera",
            )


def key(owner, path: str, frames: list[int], values: np.ndarray, slopes: np.ndarray) -> None:
    """Key a property of ``owner`` at ``frames``; keyframes between the first and last go.

    values, slopes: ``(len(frames), C)``; C is 1 for a property that is one number. Slopes are per
    frame; the handles are a third of the way long, and aligned.
    """
    versions.own_action(owner)
    owner.keyframe_insert(path, frame=frames[0], group=_group(owner))
    curves = [c for c in versions.curves(owner.animation_data) if c.data_path == path]
    for curve in curves:
        index = curve.array_index
        _set(curve, frames, values[:, index], slopes[:, index])


def _set(curve, frames: list[int], values: np.ndarray, slopes: np.ndarray) -> None:
    points = curve.keyframe_points
    for point in reversed(points[:]):
        if frames[0] <= point.co.x <= frames[-1]:
            points.remove(point, fast=True)
    for frame, value in zip(frames, values, strict=True):
        points.insert(frame, value, options={"FAST"})
    curve.update()
    wanted = {frame: number for number, frame in enumerate(frames)}
    for point in points:
        number = wanted.get(round(point.co.x, 3))
        if number is None:
            continue
        before = frames[number] - frames[max(number - 1, 0)] or 1
        after = frames[min(number + 1, len(frames) - 1)] - frames[number] or 1
        point.interpolation = "BEZIER"
        point.handle_left_type = point.handle_right_type = "ALIGNED"
        x, y, slope = frames[number], values[number], slopes[number]
        point.handle_left = x - before / 3, y - slope * before / 3
        point.handle_right = x + after / 3, y + slope * after / 3
    curve.update()


def _group(owner) -> str:
    return "Object Transforms" if isinstance(owner, bpy.types.Object) else ""


def _locked(owner, what: str, hint: str) -> RecamError:
    return RecamError("camera_locked", f"“{owner.name}” {what}: it cannot be keyed.", f"{hint}.")
