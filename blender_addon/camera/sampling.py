"""The scene camera, frame by frame, as Blender itself evaluates it: a trajectory.

Sampled through the dependency graph, so that parents, constraints, drivers and markers that
switch cameras all count, and in slices, so that Blender stays alive.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from time import perf_counter

import bpy
import numpy as np

from ..clip.layout import Rect
from ..scene.blocks import find, stands_in
from ..scene.light_scene import light_scene
from ..scene.temporary_scene import temporary_scene
from ..scene.unkeyed import everything_kept
from ..shared.cameras.lens import crop
from ..shared.cameras.trajectory import Trajectory
from ..shared.errors import RecamError
from .axes import trajectory_pose
from .optics import Frame


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    """The scene's frames per second; 24 / 1.001 comes out as 24000/1001."""
    render = scene.render
    return Fraction(render.fps) / Fraction(render.fps_base).limit_denominator(10_000)


def frame_size(scene: bpy.types.Scene) -> tuple[int, int]:
    """(width, height) of the render frame in pixels, at 100 %."""
    return scene.render.resolution_x, scene.render.resolution_y


def frame_of(scene: bpy.types.Scene) -> Frame:
    """The scene's render frame."""
    render = scene.render
    return Frame(frame_size(scene), (render.pixel_aspect_x, render.pixel_aspect_y))


class CameraSampler:
    """Samples a camera of a scene at whole frames.

    frames: scene frame numbers. camera: the camera object; None for the scene's camera, which
    markers may switch. rect: the part of the frame that the clip fills (the lens is the part's);
    None for the whole frame. subject: an object whose places are wanted too. light: look at these
    alone, quick in any scene, for what is only shown; a job is read from the scene as it is.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        frames: range,
        camera: bpy.types.Object | None = None,
        rect: Rect | None = None,
        subject: bpy.types.Object | None = None,
        light: bool = False,
    ) -> None:
        self._light = light
        self._scene = scene.session_uid
        self._stage = stage_of(scene, camera).session_uid
        self._camera = camera.session_uid if camera is not None else None
        self._subject = subject.session_uid if subject is not None else None
        self._frames = frames
        self._part = rect.of(frame_size(scene)) if rect is not None else (0.0, 0.0, 1.0, 1.0)
        self._rate = scene_rate(scene)
        self._poses: list[np.ndarray] = []
        self._lenses: list[np.ndarray] = []
        self._places: list[np.ndarray] = []

    @property
    def share(self) -> float:
        """The share done."""
        return len(self._poses) / len(self._frames)

    def step(self, seconds: float) -> float:
        """Sample for about ``seconds``; the share done, 1.0 at the end.

        Nothing is kept open between steps. Where the first look at a heavy scene takes longer
        than ``seconds``, as much time again goes into sampling, so that it pays.
        Raises RecamError ``camera_missing`` or ``camera_kind``, naming the camera and frame.
        """
        render = find(bpy.data.scenes, self._scene, "scene").render
        stage = find(bpy.data.scenes, self._stage, "scene")
        camera = self._camera and find(bpy.data.objects, self._camera, "camera")
        subject = self._subject and find(bpy.data.objects, self._subject, "subject")
        began = perf_counter()
        with (light_scene if self._light else walking)(stage, camera, subject) as walked:
            until = None
            while len(self._poses) < len(self._frames):
                pose, lens = _sample(walked, self._frames[len(self._poses)], camera, render)
                self._poses.append(pose)
                self._lenses.append(lens)
                if subject:
                    self._places.append(_place(walked, subject))
                now = perf_counter()
                until = until or max(began + seconds, now + (now - began))
                if now >= until:
                    break
        return self.share

    @property
    def subject_place(self) -> np.ndarray | None:
        """``(3,)``: where the subject is at the first frame, metres; None without one."""
        return self._places[0] if self._places else None

    @property
    def subject_places(self) -> np.ndarray | None:
        """``(F, 3)``: where the subject is at each frame, metres; None without one."""
        return np.array(self._places) if self._places else None

    def trajectory(self) -> Trajectory:
        """The trajectory, once ``step`` has returned 1.0. Raises RecamError ``camera_pose``."""
        return Trajectory(
            np.array(self._poses), crop(np.array(self._lenses), *self._part), self._rate
        )


def stage_of(scene: bpy.types.Scene, thing: bpy.types.Object | None) -> bpy.types.Scene:
    """The scene where an object stands: this one, unless it is only in another.

    From Blender 5.0 on the sequencer's scene may be another than that with the cameras.
    """
    if thing is None or stands_in(thing, scene):
        return scene
    return next((other for other in bpy.data.scenes if stands_in(thing, other)), scene)


@contextmanager
def walking(
    scene: bpy.types.Scene,
    camera: bpy.types.Object | None = None,
    *others: bpy.types.Object | None,
) -> Iterator[bpy.types.Scene]:
    """A scene whose frame may be set, to read camera and others there: a copy, or, where they
    depend on this very scene, itself, which afterwards is as it was."""
    real = reads_the_scene(scene, camera, *others)
    with (everything_kept if real else temporary_scene)(scene) as walked:
        if camera and not real:  # a scene's own camera is evaluated even while hidden
            walked.camera = camera
            walked.timeline_markers.clear()
        yield walked


def _sample(scene, frame: int, camera, render) -> tuple[np.ndarray, np.ndarray]:
    """Pose ``(4, 4)``, and lens ``(4,)`` of the whole frame as ``render`` has it."""
    scene.frame_set(frame)
    camera = camera or scene.camera
    if camera is None:
        raise RecamError(
            "camera_missing",
            f"The scene has no camera at frame {frame}.",
            "Press Set Up Camera, or choose a camera in the panel Shot.",
        )
    graph = scene.view_layers[0].depsgraph
    evaluated = camera.evaluated_get(graph)
    if not evaluated.is_evaluated:
        raise RecamError(
            "camera_missing",
            f"The camera “{camera.name}” is hidden from the scene.",
            "Show it and its collection again, or make it the scene's own camera.",
        )
    if camera.type != "CAMERA" or evaluated.data.type != "PERSP":
        raise RecamError(
            "camera_kind",
            f"“{camera.name}” is no perspective camera at frame {frame}.",
            "Recam needs a perspective camera: set it in the camera's lens settings.",
        )
    projection = evaluated.calc_matrix_camera(
        graph,
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    return (
        trajectory_pose(evaluated.matrix_world, scene.unit_settings.scale_length),
        lens_of(projection),
    )


def _place(scene, thing) -> np.ndarray:
    """``(3,)`` of an object at the scene's frame; of a hidden one, where it was last seen."""
    evaluated = thing.evaluated_get(scene.view_layers[0].depsgraph)
    return trajectory_pose(evaluated.matrix_world, scene.unit_settings.scale_length)[:3, 3]


def lens_of(projection) -> np.ndarray:
    """``(4,)`` lens of an OpenGL projection matrix, which maps -1..1 across the picture, y up."""
    return np.array(
        [
            projection[0][0] / 2,
            projection[1][1] / 2,
            (1 - projection[0][2]) / 2,
            (1 + projection[1][2]) / 2,
        ]
    )


def reads_the_scene(scene: bpy.types.Scene, camera, *others) -> bool:
    """Whether a driver or constraint that camera or others may hang on reads this very scene.

    On a copy it would go on reading the original, whose frame stands still.
    """
    cameras = {camera} if camera else {scene.camera, *(m.camera for m in scene.timeline_markers)}
    asked = (cameras | {*others}) - {None}
    # From the scene to what uses it, and so on: nearly always that is nothing at once.
    reached, users = set(), {scene}
    while users and not users & asked:
        reached |= users
        users = set().union(*bpy.data.user_map(subset=users).values()) - reached
    return bool(users)
