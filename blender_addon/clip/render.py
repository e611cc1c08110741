"""A strip alone, untoned, as a small .blend from which another Blender renders it to a movie."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import versions
from ..camera.sampling import frame_size
from ..scene.background import write_scene
from ..scene.temporary_scene import temporary_scene
from ..shared.errors import RecamError
from .layout import Rect, offset_in, visible_rect, whole_frame
from .strips import animated, effects, masks, picture_of, placement_of


def rendered_rect(strip: bpy.types.Strip, scene: bpy.types.Scene) -> Rect:
    """What a rendered plate shows: the visible rectangle in whole, even pixels.

    It is the whole frame where the strip moves, where what it shows is laid out over the frame,
    or where effects may paint outside it.
    """
    frame = frame_size(scene)
    moves = animated(strip, scene) & {"transform", "crop", "use_flip"}
    if moves or picture_of(strip) is None or effects(strip, scene) or masks([strip]):
        return whole_frame(frame)
    return visible_rect(placement_of(strip), frame)


def write_alone(
    scene: bpy.types.Scene,
    strip: bpy.types.Strip,
    rect: Rect,
    frames: range,
    movie: Path,
    blend: Path,
) -> str:
    """Write ``blend``, whose only scene to render gives ``movie``; that scene's name.

    The movie is ``frames`` (of the scene; the strip is extended to them) of the strip's part
    ``rect`` of the frame (whole, even pixels): H.264 in MP4, near-lossless, at the scene's rate.
    Raises RecamError ``plate_colours``.
    """
    with temporary_scene(scene) as copy:
        later = max(0, -frames.start)  # Blender renders nothing before frame 0
        _isolate(copy, strip, scene, frames, later)
        alone = versions.all_strips(copy.sequence_editor)[strip.name]
        if not animated(strip, scene) & {"transform"}:
            offset = offset_in(placement_of(strip), frame_size(scene), rect)
            alone.transform.offset_x, alone.transform.offset_y = offset
        _let_go(copy)
        set_output(copy, rect, range(frames.start + later, frames.stop + later), movie)
        set_neutral_colours(copy)
        write_scene(copy, blend)
        return copy.name


def _isolate(copy, strip, scene, frames: range, later: int) -> None:
    """Leave the strip in the copy, with its effects and masks, on these frames, so much later."""
    editor = copy.sequence_editor
    strips, everything = versions.strips(editor), versions.all_strips(editor)
    shown = [strip, *effects(strip, scene)]
    hidden = masks(shown)
    kept, meta = {each.name for each in [*shown, *hidden]}, None
    if strip.parent_meta() is not None:  # out of it, into one that neither moves nor hides it
        meta = strips.new_meta("Recam", 1, frames.start + later)
        for name in kept:
            if everything[name].parent_meta() != meta:  # an effect goes with its input
                everything[name].move_to_meta(meta)
        kept = {meta.name}
    for name in [each.name for each in strips]:
        if name not in kept and name in strips:
            strips.remove(strips[name])
    for channel in editor.channels:
        channel.mute = False
    for each in hidden:
        everything[each.name].mute = True
        versions.move(everything[each.name], later)
    alone = everything[strip.name]
    alone.mute = False
    alone.blend_type = "REPLACE"
    alone.blend_alpha = 1  # a fade, which is animated, stays
    versions.move(alone, later)
    for each in [alone, meta] if meta else [alone]:  # a meta's length follows its strips' trims
        versions.set_first_frame(each, frames.start + later)
        versions.set_end_frame(each, frames.stop + later)


def _let_go(copy) -> None:
    """Let the copy use nothing of the 3D scene, which may be large and is not rendered."""
    for children in (copy.collection.children, copy.collection.objects):
        for child in list(children):
            children.unlink(child)
    copy.timeline_markers.clear()
    versions.forget_compositing(copy)
    for each in bpy.types.Scene.bl_rna.properties:
        if each.is_runtime:  # add-ons' own, which may point at objects
            copy.property_unset(each.identifier)
    for user in (copy, copy.rigidbody_world, copy.tool_settings, *copy.view_layers):
        _unset_blocks(user)
    for name in [name for name, value in copy.items() if isinstance(value, bpy.types.ID)]:
        del copy[name]


def _unset_blocks(user) -> None:
    pointers = [p for p in user.bl_rna.properties if p.type == "POINTER"] if user else []
    for each in pointers:
        if not each.is_readonly and isinstance(getattr(user, each.identifier), bpy.types.ID):
            setattr(user, each.identifier, None)


def set_output(scene, rect: Rect, frames: range, movie: Path) -> None:
    """Let the scene's sequencer be rendered to a movie as large as ``rect``."""
    scene.frame_start, scene.frame_end, scene.frame_step = frames[0], frames[-1], 1
    render = scene.render
    render.use_sequencer, render.use_compositing = True, False
    render.resolution_x, render.resolution_y = int(rect.width), int(rect.height)
    render.resolution_percentage = 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.frame_map_old = render.frame_map_new = 100
    render.use_border = render.use_multiview = render.use_stamp = False
    render.use_file_extension = render.use_overwrite = True
    render.filepath = str(movie)
    image = render.image_settings
    versions.set_file_format(image, "FFMPEG")
    image.color_management = "FOLLOW_SCENE"
    settings = render.ffmpeg
    settings.format, settings.codec, settings.audio_codec = "MPEG4", "H264", "NONE"
    settings.use_lossless_output = settings.use_autosplit = settings.use_max_b_frames = False
    settings.constant_rate_factor, settings.ffmpeg_preset = "PERC_LOSSLESS", "GOOD"
    settings.gopsize = 12
    image.color_mode, image.color_depth = "RGB", "8"


def set_neutral_colours(scene) -> None:
    """The file's own colours, not tone-mapped: the strip is looked at, not the render.

    Raises RecamError ``plate_colours``.
    """
    view = scene.view_settings
    try:
        scene.display_settings.display_device = "sRGB"
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
