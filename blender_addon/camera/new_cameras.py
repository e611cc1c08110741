"""The cameras and the subject of a new rig, as they stand at first."""

from __future__ import annotations

import bpy
from mathutils import Matrix, Vector

from . import rig as rigs

LENS = 35.0  # millimetres
EYE_HEIGHT = 1.6  # metres
UPRIGHT = Matrix.Rotation(1.5707963267948966, 4, "X")  # looks along y


def new_source(rig, stage) -> bpy.types.Object:
    """A camera in the place, and with the lens, of the scene's own; else at a person's height."""
    model = stage.camera
    if model is not None and model.get(rigs.PART) == rigs.CAMERA:  # of another clip's rig
        model = next((s for r in rigs.all_of(model) if (s := rigs.source_camera_of(r))), model)
    if model is not None and model.type == "CAMERA" and model.data.type == "PERSP":
        data, pose = _optics(model), _rigid(model.matrix_world)
    else:
        data = bpy.data.cameras.new(f"{rig[rigs.STRIP]} Source")
        metre = 1 / stage.unit_settings.scale_length
        data.lens, data.clip_start, data.clip_end = LENS, 0.1 * metre, 1000 * metre
        pose = Matrix.Translation((0, 0, EYE_HEIGHT * metre)) @ UPRIGHT
    source = bpy.data.objects.new(f"{rig[rigs.STRIP]} Source", data)
    source.matrix_world = pose
    data.name = source.name
    data.display_size = 0.25  # it stands in the way of the camera that begins here
    return source


def new_camera(rig, source: bpy.types.Object) -> bpy.types.Object:
    """The camera to animate: where the source camera is, with its lens."""
    camera = bpy.data.objects.new(f"{rig[rigs.STRIP]} Camera", _optics(source))
    camera.data.name, camera.data.display_size = camera.name, 1.0
    camera.matrix_world = _rigid(source.matrix_world)
    return camera


def new_subject(rig, source, distance: float) -> bpy.types.Object:
    """An empty on the source camera's line of sight."""
    subject = bpy.data.objects.new(f"{rig[rigs.STRIP]} Subject", None)
    subject.empty_display_type, subject.empty_display_size = "SPHERE", distance / 20
    subject.show_name = True
    subject.location = _rigid(source.matrix_world) @ Vector((0, 0, -distance))
    return subject


def _optics(camera: bpy.types.Object) -> bpy.types.Camera:
    """A copy of a camera's lens and sensor as they are now, without keys and backgrounds."""
    data = camera.data.copy()
    data.animation_data_clear()
    data.background_images.clear()
    data.dof.use_dof = False
    return data


def _rigid(matrix: Matrix) -> Matrix:
    place, turn, _ = matrix.decompose()
    return Matrix.LocRotScale(place, turn, None)
