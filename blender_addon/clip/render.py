"""Render one strip of a scene, alone and untoned, into a movie file."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import versions
from ..camera.sampling import frame_size
from ..scene.temporary_scene import temporary_scene
from ..shared.errors import RecamError
from .layout import Rect, offset_in
from .strips import animated, effects, placement_of


def render_part(
    scene: bpy.types.Scene, strip: bpy.types.Strip, rect: Rect, frames: range, path: Path
) -> None:
    """Render ``frames`` of the strip's part of the frame (whole, even pixels) to ``path``.

    H.264 in MP4, near-lossless, at the scene's rate. Raises RecamError ``plate_render``.
    """
    with temporary_scene(scene) as copy:
        _isolate(copy, strip, scene, rect)
        _set_output(copy, rect, frames, path)
        _set_neutral_colours(copy)
        try:
            bpy.ops.render.render(animation=True, scene=copy.name)
        except RuntimeError as error:
            raise _failed(strip, str(error).strip()) from error
    rendered = _frames_in(path)
    if rendered != len(frames):
        raise _failed(strip, f"{rendered} of {len(frames)} frames were written to {path}.")


def _isolate(copy, strip, scene, rect) -> None:
    editor = copy.sequence_editor
    kept = {strip.name, *(effect.name for effect in effects(strip, scene))}
    strips = versions.strips(editor)
    for name in [x.name for x in strips]:
        if name not in kept and name in strips:  # an effect goes with its input
            strips.remove(strips[name])
    for channel in editor.channels:
        channel.mute = False
    alone = strips[strip.name]
    alone.mute = False
    alone.blend_type = "REPLACE"
    alone.blend_alpha = 1  # a fade, which is animated, stays
    if not animated(strip, scene) & {"transform"}:
        offset = offset_in(placement_of(strip), frame_size(scene), rect)
        alone.transform.offset_x, alone.transform.offset_y = offset
    for children in (copy.collection.children, copy.collection.objects):
        for child in list(children):  # nothing of the 3D scene needs evaluating
            children.unlink(child)


def _set_output(copy, rect, frames, path) -> None:
    copy.frame_start, copy.frame_end, copy.frame_step = frames[0], frames[-1], 1
    render = copy.render
    render.use_sequencer, render.use_compositing = True, False
    render.resolution_x, render.resolution_y = int(rect.width), int(rect.height)
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.frame_map_old = render.frame_map_new = 100
    render.use_border = render.use_multiview = render.use_stamp = False
    render.use_file_extension = render.use_overwrite = True
    render.filepath = str(path)
    image = render.image_settings
    versions.set_file_format(image, "FFMPEG")
    image.color_management = "FOLLOW_SCENE"
    movie = render.ffmpeg
    movie.format, movie.codec, movie.audio_codec = "MPEG4", "H264", "NONE"
    movie.use_lossless_output = movie.use_autosplit = movie.use_max_b_frames = False
    movie.constant_rate_factor, movie.ffmpeg_preset, movie.gopsize = "PERC_LOSSLESS", "GOOD", 12
    image.color_mode, image.color_depth = "RGB", "8"


def _set_neutral_colours(copy) -> None:
    """The file's own colours, not tone-mapped: the strip is looked at, not the render."""
    view = copy.view_settings
    try:
        copy.display_settings.display_device = "sRGB"
        view.view_transform, view.look = "Standard", "None"
    except TypeError as error:
        raise RecamError(
            "plate_colours",
            "Blender's colour configuration has no “Standard” view on an “sRGB” display.",
            "Recam needs it to render this strip. An unchanged strip is sent without it.",
        ) from error
    view.exposure, view.gamma = 0, 1
    view.use_curve_mapping = False
    versions.use_neutral_white(view)


def _frames_in(path: Path) -> int:
    if not path.is_file():
        return 0
    try:
        clip = bpy.data.movieclips.load(str(path))
    except RuntimeError:
        return 0
    try:
        return clip.frame_duration
    finally:
        bpy.data.movieclips.remove(clip)


def _failed(strip, why: str) -> RecamError:
    return RecamError(
        "plate_render",
        f"Blender could not render “{strip.name}”: {why}",
        "Check the free space on the disk, and start again.",
    )
