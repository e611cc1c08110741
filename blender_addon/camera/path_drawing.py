"""Draws the camera's path in the 3D viewport."""

from __future__ import annotations

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from ..versions import sequencer_scene
from .path_lines import Lines
from .path_watch import path_of

WIDTH = 2.0  # pixels, at the interface's scale 1

_handler = None
_batch = None  # (lines, shader, batch)


def _draw() -> None:
    context = bpy.context
    scene = sequencer_scene(context)
    if scene is None or not scene.recam_move.show_path:
        return
    path = path_of(scene)
    lines = path.lines if path.stage == context.scene.session_uid else None
    space, view = context.space_data, context.region_data
    through_camera = view.view_perspective == "CAMERA"  # the path would hang before the eye
    if through_camera or lines is None or not space.overlay.show_overlays:
        return
    shader, batch = _drawn(lines)
    gpu.state.blend_set("ALPHA")
    gpu.state.depth_test_set("NONE")  # the clip's own plane would hide most of it
    shader.bind()
    shader.uniform_float("viewportSize", (context.region.width, context.region.height))
    shader.uniform_float("lineWidth", WIDTH * context.preferences.system.ui_scale)
    batch.draw(shader)
    gpu.state.blend_set("NONE")


def _drawn(lines: Lines) -> tuple:
    """Shader and batch of the path's lines, made anew only when these are."""
    global _batch
    if _batch is None or _batch[0] is not lines:
        shader = gpu.shader.from_builtin("POLYLINE_FLAT_COLOR")
        content = {"pos": lines.points, "color": lines.colours}
        _batch = lines, shader, batch_for_shader(shader, "LINES", content)
    return _batch[1:]


def register() -> None:
    global _handler
    if not bpy.app.background:  # nothing is drawn there
        _handler = bpy.types.SpaceView3D.draw_handler_add(_draw, (), "WINDOW", "POST_VIEW")


def unregister() -> None:
    global _handler, _batch
    if _handler is not None:
        bpy.types.SpaceView3D.draw_handler_remove(_handler, "WINDOW")
    _handler = _batch = None
