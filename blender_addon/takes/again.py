"""A take's settings and camera, back into the scene."""

from __future__ import annotations

from dataclasses import replace

import bpy

from .. import versions
from ..camera.keys import hindrance, key_trajectory
from ..camera.optics import lenses_of_frame
from ..camera.rig import alive
from ..camera.sampling import frame_of, frame_size, stage_of
from ..clip.layout import picture_rect
from ..clip.plate import picture_part
from ..clip.strips import animated, file_of, placement_of
from ..settings import MODEL_SETTINGS
from ..shared.cameras.trajectory import Trajectory
from ..shared.errors import RecamError
from .family import original_at, record_of
from .sidecar import read_sidecar


def apply_settings(take: bpy.types.Strip, scene: bpy.types.Scene) -> None:
    """Set the panel to what made this one take: engine and the model's settings, its own seed."""
    settings, record = scene.recam, record_of(take)
    rna = settings.bl_rna.properties
    engine = record.get("engine")
    settings.engine = engine if engine in rna["engine"].enum_items else "auto"
    if settings.engine == "projection":
        return
    asked = {**record.get("settings", {})}
    asked["takes"] = 1
    asked["seed"] = (record.get("report") or {}).get("seed", asked.get("seed", 0))
    for name in MODEL_SETTINGS:
        setattr(settings, name, asked.get(name, rna[name].default))


def first_frame_of_file(take: bpy.types.Strip) -> int:
    """The scene's frame at which the take's file begins, trimmed away or not.

    Raises RecamError ``take_retimed`` for a take that shows its frames in another order or pace.
    """
    if take.retiming_keys or take.use_reverse_frames or take.strobe > 1:
        raise RecamError(
            "take_retimed",
            f"“{take.name}” was retimed: its camera no longer goes with its frames.",
            "Retime the original instead, and re-shoot that.",
        )
    return int(versions.content_start(take)) - versions.content_trim_start(take)


def whole_frames(trajectory: Trajectory, part: tuple[float, float, float, float]) -> Trajectory:
    """The trajectory with the lenses of the whole frame, from those of ``part`` of it."""
    lenses = lenses_of_frame(trajectory.lenses, part)
    return Trajectory(trajectory.poses, lenses, trajectory.rate)


def content_part(take: bpy.types.Strip, scene: bpy.types.Scene, content: tuple[int, int]) -> tuple:
    """Where in the frame, in fractions of it, the take's picture lies as the strip is now.

    content: the picture's size in the file. What the strip's crop hides counts as well: it is cut
    off, not moved. Raises RecamError ``take_turned``.
    """
    moving = animated(take, scene) & {"transform", "use_flip"}
    if moving or take.transform.rotation or take.use_flip_x or take.use_flip_y:
        raise RecamError(
            "take_turned",
            f"“{take.name}” is turned, mirrored or moves: no camera shows it like that.",
            "Take that back from the take.",
        )
    return part_of(take, scene, content)


def part_of(take: bpy.types.Strip, scene: bpy.types.Scene, size: tuple[int, int]) -> tuple:
    """Where in the frame the upper left part, so large, of the take's file lies."""
    placed = placement_of(take)
    crop = (0, 0, placed.picture[0] - size[0], placed.picture[1] - size[1])
    return picture_rect(replace(placed, crop=crop), frame_size(scene)).of(frame_size(scene))


def target_camera(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """The camera that takes are shot with."""
    camera = alive(scene.recam.camera) or scene.camera
    return camera if camera is not None and camera.type == "CAMERA" else None


def restore(take: bpy.types.Strip, scene: bpy.types.Scene) -> bpy.types.Object:
    """Set the panel to the take's settings and key its camera's way; the camera.

    The keys go where the take lies now, so that a re-shoot of the original makes it again. A
    camera that hangs on something else is left alone: a new one takes its place in the panel.
    Raises RecamError ``take_sidecar``, ``take_retimed``, ``take_turned`` and as the sidecar does.
    """
    shot, record = read_sidecar(file_of(take))
    first = first_frame_of_file(take)
    original = original_at(take, scene)
    if original is not None:
        part = picture_part(original, scene).of(frame_size(scene))
    else:
        part = content_part(take, scene, record["content_size"])
    camera = target_camera(scene)
    stage = stage_of(scene, camera)
    if camera is None or hindrance(camera):
        camera = new_camera(take.name, stage)
        scene.recam.camera = camera
    key_trajectory(camera, whole_frames(shot.trajectory, part), first, frame_of(scene), stage)
    apply_settings(take, scene)
    scene.recam.subject = None
    scene.recam.subject_distance = shot.subject_distance / scene.unit_settings.scale_length
    return camera


def new_camera(take_name: str, scene: bpy.types.Scene) -> bpy.types.Object:
    """A camera for a take, in the scene."""
    name = f"{take_name} camera"
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    scene.collection.objects.link(camera)
    return camera
