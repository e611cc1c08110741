"""The button “Look Through”: a 3D view shows the clip through the camera, and as it was again."""

from __future__ import annotations

import bpy

from .. import versions
from ..scene.blocks import stands_in
from ..translations import words
from .rig import alive

# What shows a movie texture as it is, without light, while the timeline runs.
SHADING = {"type": "SOLID", "color_type": "TEXTURE", "light": "FLAT"}
PLAIN = {
    "perspective": "PERSP",
    "local": False,
    "shading": {"light": "STUDIO", "color_type": "MATERIAL"},
}
_before: dict[int, dict] = {}  # of a 3D view, by its address in memory: how it looked


class RECAM_OT_look_through(bpy.types.Operator):
    """Look through the camera in a 3D view, with the clip on what stands there; press again to go back"""  # noqa: E501

    bl_idname = "recam.look_through"
    bl_label = "Look Through"

    @classmethod
    def poll(cls, context) -> bool:
        if view_of(context) is None:
            cls.poll_message_set(words("Open a 3D view in this window"))
            return False
        if context.scene.camera is None and _camera(context) is None:
            cls.poll_message_set(words("Set up a camera first"))
            return False
        return True

    def execute(self, context) -> set[str]:
        space = view_of(context)
        if looks_through(space):
            look_away(space)
        else:
            _enter(space, context)
        return {"FINISHED"}


def looks_through(space) -> bool:
    """Whether a 3D view looks through its camera as the button lets it."""
    return space.region_3d.view_perspective == "CAMERA" and _shading(space) == SHADING


def _shading(space) -> dict:
    return {name: getattr(space.shading, name) for name in SHADING}


def _enter(space, context) -> None:
    shading, region = space.shading, space.region_3d
    if _shading(space) != SHADING:  # else it was turned away since
        _before[space.as_pointer()] = {
            "perspective": region.view_perspective,
            "local": space.use_local_camera,
            "shading": _shading(space),
        }
    camera = _camera(context)
    if camera is not None and camera != context.scene.camera:
        space.use_local_camera, space.camera = True, camera  # of the view; the scene's own stays
    for name, value in SHADING.items():
        setattr(shading, name, value)
    region.view_perspective = "CAMERA"


def look_away(space) -> None:
    """Give a 3D view back the look that it had before."""
    before = _before.pop(space.as_pointer(), PLAIN)
    # The kind last: Blender keeps light and colour for each, and offers but what it has.
    for name in reversed(SHADING):
        if name in before["shading"]:
            setattr(space.shading, name, before["shading"][name])
    space.use_local_camera = before["local"]
    space.region_3d.view_perspective = before["perspective"]


def _camera(context):
    scene = versions.sequencer_scene(context)
    camera = alive(scene.recam.camera) if scene is not None else None
    return camera if camera is not None and stands_in(camera, context.scene) else None


def view_of(context):
    """The 3D view that the button is about: this one, else the window's largest, else None."""
    if context.space_data is not None and context.space_data.type == "VIEW_3D":
        return context.space_data
    if context.window is None:
        return None
    areas = [area for area in context.window.screen.areas if area.type == "VIEW_3D"]
    largest = max(areas, key=lambda area: area.width * area.height, default=None)
    return largest.spaces.active if largest else None


@bpy.app.handlers.persistent
def _before_load(*_) -> None:
    _before.clear()


def register() -> None:
    bpy.utils.register_class(RECAM_OT_look_through)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_before_load)
    bpy.utils.unregister_class(RECAM_OT_look_through)
