"""Which strips give a plate; why others do not, in words."""

from __future__ import annotations

from pathlib import Path

import bpy

from .. import versions
from ..shared.errors import RecamError
from .render import rendered_rect
from .strips import KINDS, animated, effects, file_of, image_files, picture_of


def check(strip: bpy.types.Strip | None, scene: bpy.types.Scene) -> None:
    """Raise RecamError in words if this strip can give no plate: codes ``strip_*``."""
    if strip is None:
        raise RecamError("strip_none", "No strip is selected.", "Select one in the sequencer.")
    if strip.type not in KINDS:
        raise RecamError(
            "strip_kind",
            f"“{strip.name}” is a {strip.type.lower().replace('_', ' ')} strip.",
            "Recam re-shoots movie, image, meta, scene and movie clip strips: select one of these.",
        )
    _check_source(strip)
    rect = rendered_rect(strip, scene)
    if not (rect.width and rect.height):
        raise RecamError(
            "strip_hidden",
            f"Nothing of “{strip.name}” lies inside the render frame.",
            "Move, scale or uncrop it so that the clip is seen.",
        )
    _check_drivers(strip, scene)
    if versions.first_frame(strip) < 0 and keyed(strip, scene):
        raise RecamError(
            "strip_early",
            f"“{strip.name}” is animated and starts before frame 0, where Blender renders nothing.",
            "Move it, with its keyframes, to a later frame.",
        )


def keyed(strip: bpy.types.Strip, scene: bpy.types.Scene) -> bool:
    """Whether a keyframe or driver moves the strip, its effects, or what a meta strip holds."""
    return any(animated(each, scene) for each in _chain(strip, scene))


def _chain(strip, scene) -> list[bpy.types.Strip]:
    chain = [strip, *effects(strip, scene)]
    for each in chain:
        if each.type == "META":
            chain += versions.strips(each)
    return chain


def _check_drivers(strip, scene) -> None:
    quoted = [f'["{bpy.utils.escape_identifier(each.name)}"].' for each in _chain(strip, scene)]
    for curve in scene.animation_data.drivers if scene.animation_data else ():
        driver = curve.driver
        scripted = driver.type == "SCRIPTED" and not driver.is_simple_expression
        if scripted and any(name in curve.data_path for name in quoted):
            raise RecamError(
                "strip_script",
                f"“{strip.name}” is driven by Python (“{driver.expression}”), which does not run "
                "in the background Blender that renders plates.",
                "Write it as a simple expression, or bake it to keyframes.",
            )


def _check_source(strip) -> None:
    if strip.type == "MOVIE":
        _check_files(strip, [file_of(strip)])
    elif strip.type == "IMAGE":
        _check_files(strip, _shown_images(strip))
    elif strip.type == "META":
        inner = [s for s in versions.strips(strip) if not s.mute and s.type != "SOUND"]
        if not inner:
            raise RecamError(
                "strip_empty", f"Nothing in “{strip.name}” has a picture.", "Select another strip."
            )
        for each in inner:
            if each.type in KINDS:
                _check_source(each)
    elif strip.type == "SCENE":
        _check_scene(strip)
    elif getattr(strip, "clip", None) and strip.clip.source == "MOVIE":
        _check_files(strip, [Path(bpy.path.abspath(strip.clip.filepath))])
    if picture_of(strip) is not None and not all(picture_of(strip)):
        raise RecamError(
            "strip_file",
            f"Blender cannot read a picture from the file of “{strip.name}”.",
            "Reload the strip, or convert the file with another program.",
        )


def _shown_images(strip) -> list[Path]:
    frames = range(versions.first_frame(strip), versions.end_frame(strip))
    shown = {strip.strip_elem_from_frame(frame).filename for frame in frames}
    return [path for path in image_files(strip) if path.name in shown]


def _check_files(strip, files: list[Path]) -> None:
    missing = [path for path in files if not path.is_file()]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise RecamError(
            "strip_file",
            f"The file of “{strip.name}” is missing: {missing[0]}{more}",
            "Put it back, or point the strip at its new place.",
        )


def _check_scene(strip) -> None:
    shown = strip.scene
    if shown is None:
        raise RecamError(
            "strip_scene", f"“{strip.name}” shows no scene.", "Choose one in the strip's settings."
        )
    if strip.scene_input == "CAMERA" and not (strip.scene_camera or shown.camera):
        raise RecamError(
            "strip_scene",
            f"The scene “{shown.name}”, which “{strip.name}” shows, has no camera.",
            "Give it one.",
        )
