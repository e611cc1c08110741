"""Reading a strip: its file, its place, what animates it, which effects show it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import versions
from ..scene.blocks import find
from ..shared.errors import RecamError
from .layout import Placement


@dataclass(frozen=True)
class StripMark:
    """What a strip is found by, without writing on it. Strips have no lasting id in Blender."""

    scene: int
    name: str
    file: Path
    content_start: float
    first: int


def mark(strip: bpy.types.Strip, scene: bpy.types.Scene) -> StripMark:
    """What to find the strip by later on."""
    return StripMark(
        scene.session_uid,
        strip.name,
        file_of(strip),
        versions.content_start(strip),
        versions.first_frame(strip),
    )


def find_strip(marked: StripMark) -> bpy.types.Strip:
    """The strip again: by its name, or, once renamed, the only one that shows its file.

    Raises RecamError ``strip_gone``.
    """
    scene = find(bpy.data.scenes, marked.scene, "scene")
    strips = versions.strips(scene.sequence_editor) if scene.sequence_editor else ()
    alike = [s for s in strips if s.type == "MOVIE" and file_of(s) == marked.file]
    for strip in alike:
        if strip.name == marked.name:
            return strip
    if len(alike) == 1:
        return alike[0]
    raise RecamError(
        "strip_gone",
        f"The strip “{marked.name}” is no longer in the sequencer.",
        "Undo its removal, or start again with another strip.",
    )


def file_of(strip: bpy.types.Strip) -> Path:
    """The strip's file as an absolute path."""
    return Path(os.path.abspath(bpy.path.abspath(strip.filepath)))


def placement_of(strip: bpy.types.Strip) -> Placement:
    """The strip's numbers as ``layout`` wants them."""
    transform, crop, element = strip.transform, strip.crop, strip.elements[0]
    return Placement(
        picture=(element.orig_width, element.orig_height),
        scale=(transform.scale_x, transform.scale_y),
        offset=(transform.offset_x, transform.offset_y),
        rotation=transform.rotation,
        origin=tuple(transform.origin),
        crop=(crop.min_x, crop.max_y, crop.max_x, crop.min_y),
        flip=(strip.use_flip_x, strip.use_flip_y),
    )


def animated(strip, scene) -> set[str]:
    """Names of the strip's animated or driven properties, of groups such as ``transform`` too."""
    animation = scene.animation_data
    if animation is None:
        return set()
    quoted = f'["{bpy.utils.escape_identifier(strip.name)}"].'
    paths = [curve.data_path for curve in versions.curves(animation)]
    paths += [driver.data_path for driver in animation.drivers]
    tails = [path.split(quoted, 1)[1] for path in paths if quoted in path]
    names = {tail.split(".")[0].split("[")[0] for tail in tails}
    return names | {"use_flip" for name in names if name.startswith("use_flip")}


def effects(strip, scene) -> list[bpy.types.Strip]:
    """Unmuted effect strips that show this strip and no other, each after its input."""
    chain = [strip]
    grown = True
    while grown:
        grown = False
        for other in versions.strips(scene.sequence_editor):
            inputs = [getattr(other, name, None) for name in ("input_1", "input_2")]
            inputs = [x for x in inputs if x is not None]
            shown = inputs and not other.mute and all(x in chain for x in inputs)
            if shown and other not in chain:
                chain.append(other)
                grown = True
    return chain[1:]


def active_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The strip that the sequencer shows as the active one."""
    return scene.sequence_editor.active_strip if scene.sequence_editor else None
