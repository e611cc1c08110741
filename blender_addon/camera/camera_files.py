"""Cameras from files, and into them: a source camera, a trajectory, the shot."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import bpy
import numpy as np
from bpy.props import BoolProperty, StringProperty
from bpy_extras.io_utils import ExportHelper, ImportHelper

from .. import versions
from ..clip.plate import check, clip_frames, picture_part
from ..clip.strips import active_strip
from ..shared.cameras.files import read_camera
from ..shared.cameras.json_file import load_json
from ..shared.cameras.pose import inverse
from ..shared.cameras.recam_json import write_shot
from ..shared.cameras.resample import resample
from ..shared.cameras.trajectory import Shot, Trajectory
from ..shared.errors import RecamError
from ..translations import words
from . import rig as rigs
from .keys import key_trajectory
from .optics import lenses_of_frame
from .sampling import CameraSampler, frame_of, scene_rate
from .shot import ShotReader

# Blender's world (z up) of one with OpenCV axes (y down).
UPRIGHT = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
STANDING = UPRIGHT.copy()
STANDING[2, 3] = 1.6  # metres: a person's height
LENS = np.array([35 / 36, 35 / 36 * 16 / 9, 0.5, 0.5])


class _Load(ImportHelper):
    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})
    bl_options: ClassVar = {"REGISTER", "UNDO"}

    camera: StringProperty(
        name="Camera",
        description="Which camera of a file that holds several, such as cam01",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context) -> bool:
        return _poll(cls, context)

    def execute(self, context) -> set[str]:
        scene = versions.sequencer_scene(context)
        try:
            check(active_strip(scene), scene)
            camera = self.load(context, scene, active_strip(scene))
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        said = words(
            "“{camera}” is keyed from {file}", camera=camera.name, file=Path(self.filepath).name
        )
        self.report({"INFO"}, said)
        return {"FINISHED"}


class RECAM_OT_load_source_camera(_Load, bpy.types.Operator):
    """Make the source camera from a camera file: one of Recam's, or a camera_extrinsics.json. It is keyed from the strip's first frame on"""  # noqa: E501

    bl_idname = "recam.load_source_camera"
    bl_label = "Load Source Camera"

    here: BoolProperty(
        name="Start Here",
        description="Begin where the present source camera stands, instead of at the file's own "
        "place in the world",
        default=False,
    )

    def load(self, context, scene, strip) -> bpy.types.Object:
        now = _source_now(scene, strip)
        shot, upright = _read(self.filepath, self.camera, scene, now)
        source = shot.source_camera or shot.trajectory
        moved = now[0] @ inverse(source.poses[0]) if self.here else upright
        camera = _keyed(context, scene, strip, source, moved, f"{Path(self.filepath).stem} Source")
        scene.recam.source_camera = camera
        return camera


class RECAM_OT_load_camera(_Load, bpy.types.Operator):
    """Make a camera to re-shoot with from a camera file: one of Recam's, or a camera_extrinsics.json. It is keyed from the strip's first frame on"""  # noqa: E501

    bl_idname = "recam.load_camera"
    bl_label = "Load Camera"

    here: BoolProperty(
        name="Start at Source",
        description="Put the file's source camera (or, without one, its first pose) where this "
        "scene's source camera stands, instead of at its own place in the world",
        default=True,
    )

    def load(self, context, scene, strip) -> bpy.types.Object:
        now = _source_now(scene, strip)
        shot, upright = _read(self.filepath, self.camera, scene, now)
        moved = now[0] @ inverse(shot.reference_pose) if self.here else upright
        camera = _keyed(
            context, scene, strip, shot.trajectory, moved, f"{Path(self.filepath).stem} Camera"
        )
        scene.recam.camera = context.scene.camera = camera
        return camera


class RECAM_OT_save_camera(ExportHelper, bpy.types.Operator):
    """Write the camera over the active strip, with source camera and subject, to a camera file of Recam's"""  # noqa: E501

    bl_idname = "recam.save_camera"
    bl_label = "Save Camera"

    filename_ext = ".json"
    filter_glob: StringProperty(default="*.json", options={"HIDDEN"})

    @classmethod
    def poll(cls, context) -> bool:
        return _poll(cls, context)

    def invoke(self, context, event):
        if not self.filepath:
            self.filepath = f"{active_strip(versions.sequencer_scene(context)).name}.json"
        return super().invoke(context, event)

    def execute(self, context) -> set[str]:
        scene = versions.sequencer_scene(context)
        strip, manager = active_strip(scene), context.window_manager
        manager.progress_begin(0, 1)
        try:
            check(strip, scene)
            reader = ShotReader(scene, clip_frames(strip, scene), picture_part(strip, scene))
            while (share := reader.step(0.2)) < 1:
                manager.progress_update(share)
            write_shot(self.filepath, reader.shot())
        except RecamError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        finally:
            manager.progress_end()
        self.report({"INFO"}, words("Written to {file}", file=self.filepath))
        return {"FINISHED"}


def _poll(cls, context) -> bool:
    scene = versions.sequencer_scene(context)
    if scene is None or active_strip(scene) is None:
        cls.poll_message_set(words("Select a strip in the sequencer"))
        return False
    return True


def _source_now(scene, strip) -> tuple[np.ndarray, np.ndarray]:
    """Pose ``(4, 4)`` and the clip's lens ``(4,)`` of the source camera at the strip's first
    frame; without one, of the scene's camera, and without that, of a person looking ahead."""
    camera = rigs.alive(scene.recam.source_camera) or scene.camera
    if camera is None:
        return STANDING, LENS
    frames, part = clip_frames(strip, scene)[:1], picture_part(strip, scene)
    sampler = CameraSampler(scene, frames, camera, part)
    sampler.step(1.0)
    trajectory = sampler.trajectory()
    return trajectory.poses[0], trajectory.lenses[0]


def _read(path: str, name: str, scene, now) -> tuple[Shot, np.ndarray]:
    """What the file holds, and what turns its world into Blender's: ``(4, 4)``."""
    rate = scene_rate(scene)  # a public file's are the clip's, frame for frame
    shot = read_camera(path, lens=now[1], camera=name or None, rate=rate)
    own = "format" in load_json(path)  # Recam's are written in Blender's world
    return shot, np.eye(4) if own else UPRIGHT


def _keyed(context, scene, strip, path: Trajectory, moved, name: str) -> bpy.types.Object:
    """A new camera, keyed along a path whose world is moved first."""
    rate, frame, stage = scene_rate(scene), frame_of(scene), context.scene
    path = path if path.rate == rate else resample(path, rate)
    lenses = lenses_of_frame(path.lenses, picture_part(strip, scene).of(frame.size))
    path = Trajectory(moved @ path.poses, lenses, rate)
    data = bpy.data.cameras.new(name)
    camera = bpy.data.objects.new(name, data)
    camera.rotation_mode = "QUATERNION"
    rig = rigs.current_rig(scene.recam)
    (rig or stage.collection).objects.link(camera)
    key_trajectory(camera, path, versions.first_frame(strip), frame, stage)
    return camera


CLASSES = (RECAM_OT_load_source_camera, RECAM_OT_load_camera, RECAM_OT_save_camera)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
