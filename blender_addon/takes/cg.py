"""CG over a take: a scene whose camera films what the take shows."""

from __future__ import annotations

import json

import bpy

from ..camera.keys import hindrance, key_trajectory
from ..camera.look_through import look_away, looks_through
from ..camera.optics import Frame, fitting
from ..camera.rig import PART, SCREEN
from ..camera.sampling import frame_of, scene_rate
from ..clip.strips import file_of
from ..shared.cameras.trajectory import Trajectory
from ..shared.errors import RecamError
from ..translations import words
from .again import content_part, first_frame_of_file, new_camera, part_of, whole_frames
from .family import first_and_end, record_of
from .sidecar import read_sidecar

FORMER = "recam_cg"  # on the scene: what it was like before, as JSON
FORMER_CAMERA = "recam_cg_camera"  # and its camera
OF_TAKE = "recam_take"  # on a camera: whose it is
IN_SCENE = ("frame_start", "frame_end")
IN_RENDER = (
    "resolution_x",
    "resolution_y",
    "pixel_aspect_x",
    "pixel_aspect_y",
    "fps",
    "fps_base",
    "film_transparent",
    "use_sequencer",
)


def in_cg(scene: bpy.types.Scene) -> bool:
    """Whether the scene is set up over a take."""
    return FORMER in scene


def begin(
    take: bpy.types.Strip, cut: bpy.types.Scene, scene: bpy.types.Scene
) -> tuple[bpy.types.Object, list[str]]:
    """Set ``scene`` up so that its objects sit in the take's picture; its camera, and remarks.

    cut: the scene in whose sequencer the take lies; it gives the frame, and often is ``scene``
    itself. The camera has a key for each of the take's frames, and the take behind it. Changed
    are the scene's camera, range, resolution, pixels, rate and transparency, and the planes that
    show clips are hidden, until ``leave``.
    Raises RecamError ``take_file``, ``take_sidecar``, ``take_retimed``, ``take_turned``, and as
    the sidecar does.
    """
    if not file_of(take).is_file():
        raise RecamError(
            "take_file",
            f"The file of “{take.name}” is missing: {file_of(take)}",
            "Put it back, or make the take again.",
        )
    shot, record = read_sidecar(file_of(take))
    first = first_frame_of_file(take)
    trajectory = whole_frames(shot.trajectory, content_part(take, cut, record["content_size"]))
    frame = fitting(trajectory.lenses[0], frame_of(cut))
    remarks = _remarks(scene, cut, trajectory)
    if not in_cg(scene):
        _remember(scene)
    for screen in _screens(scene):
        screen.hide_viewport = True  # it would stand before the take
    camera = _camera(take, scene)
    key_trajectory(camera, trajectory, first, frame, scene)
    _lay_behind(camera.data, take, cut, frame, first)
    render = scene.render
    scene.camera = camera
    scene.frame_start, scene.frame_end = first_and_end(take)[0], first_and_end(take)[1] - 1
    render.resolution_x, render.resolution_y = frame.size
    render.pixel_aspect_x, render.pixel_aspect_y = frame.pixel_aspect
    if scene_rate(scene) != trajectory.rate:
        render.fps = round(trajectory.rate)
        render.fps_base = render.fps / float(trajectory.rate)
    render.film_transparent = True
    render.use_sequencer = False  # else the render would be the cut, not the scene
    for marker in scene.timeline_markers:
        marker.camera = None  # it would take the camera away
    return camera, remarks


def leave(scene: bpy.types.Scene) -> None:
    """Give the scene back what it had before ``begin``; the take's camera stays in it."""
    former = json.loads(scene[FORMER])
    for owner, values in ((scene, former["scene"]), (scene.render, former["render"])):
        for name, value in values.items():
            setattr(owner, name, value)
    scene.camera = scene.get(FORMER_CAMERA)
    for name, frame, camera in former["markers"]:
        for marker in scene.timeline_markers:
            if (marker.name, marker.frame) == (name, frame):
                marker.camera = bpy.data.objects.get(camera)
    for screen in _screens(scene):
        if screen.name in former["screens"]:
            screen.hide_viewport = False
    for key in (FORMER, FORMER_CAMERA):
        if key in scene:
            del scene[key]


def look_through(camera: bpy.types.Object, screen: bpy.types.Screen) -> None:
    """Turn the screen's 3D views to the camera, out of the flat look that shows the clip."""
    for area in screen.areas:
        if area.type == "VIEW_3D":
            view = area.spaces.active
            if looks_through(view):
                look_away(view)
            view.region_3d.view_perspective = "CAMERA"
            if view.use_local_camera:
                view.camera = camera


def _remember(scene) -> None:
    former = {
        "scene": {name: getattr(scene, name) for name in IN_SCENE},
        "render": {name: getattr(scene.render, name) for name in IN_RENDER},
        "markers": [(m.name, m.frame, m.camera.name) for m in scene.timeline_markers if m.camera],
        "screens": [screen.name for screen in _screens(scene) if not screen.hide_viewport],
    }
    scene[FORMER] = json.dumps(former)
    if scene.camera is not None:
        scene[FORMER_CAMERA] = scene.camera


def _screens(scene) -> list[bpy.types.Object]:
    return [thing for thing in scene.objects if thing.get(PART) == SCREEN]


def _remarks(scene, cut, trajectory: Trajectory) -> list[str]:
    remarks = []
    if scene_rate(scene) != trajectory.rate:
        rate = f"{float(trajectory.rate):g}"
        remarks.append(words("The scene now has the take's {rate} frames a second.", rate=rate))
    if scene == cut and scene.render.use_sequencer:
        remarks.append(words("Rendering now gives the 3D scene, not the sequencer."))
    if scene.view_settings.view_transform not in ("Standard", "Raw"):
        remarks.append(
            words(
                "The view transform “{name}” changes the CG's colours and not the take's: "
                "“Standard” treats both alike.",
                name=scene.view_settings.view_transform,
            )
        )
    return remarks


def _camera(take, scene) -> bpy.types.Object:
    """The take's camera, made anew only where there is none, or where it now hangs on something."""
    key = f"{record_of(take).get('job')} {file_of(take).name}"
    for thing in scene.objects:
        if thing.get(OF_TAKE) == key and thing.type == "CAMERA" and not hindrance(thing):
            return thing
    camera = new_camera(take.name, scene)
    camera[OF_TAKE] = key
    return camera


def _lay_behind(data: bpy.types.Camera, take, cut, frame: Frame, first: int) -> None:
    """The take as the camera's only background, in step with the timeline."""
    data.background_images.clear()
    data.show_background_images = True
    clip = bpy.data.movieclips.load(str(file_of(take)), check_existing=True)
    clip.frame_start = first
    behind = data.background_images.new()
    behind.source, behind.clip = "MOVIE_CLIP", clip
    behind.alpha, behind.display_depth = 1.0, "BACK"
    picture = take.elements[0].orig_width, take.elements[0].orig_height
    left, top, width, height = part_of(take, cut, picture)
    # “Fit” makes the picture as wide or as high as the frame allows, in the clip's proportions.
    across, up = frame.size[0], frame.size[1] * frame.tall
    stretch = (width * across) / (height * up) / (picture[0] / picture[1])
    clip.display_aspect = (stretch, 1) if stretch >= 1 else (1, 1 / stretch)
    behind.frame_method = "FIT"
    behind.scale = max(width, height)
    # Blender measures both ways with the picture that fits: up, too, in shares of its proportions.
    behind.offset = (left + width / 2 - 0.5, (0.5 - top - height / 2) * width / height)
