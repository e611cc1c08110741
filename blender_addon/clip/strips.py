"""Reading a strip: what it shows, its place, what animates it, which effects show it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import versions
from ..camera.sampling import frame_size
from ..scene.blocks import find
from ..shared.errors import RecamError
from .layout import Placement, Size

ID = "recam_strip"  # custom property of a strip that was re-shot; a copy of it has it, too
KINDS = ("MOVIE", "IMAGE", "META", "SCENE", "MOVIECLIP")  # of strips that show a clip


@dataclass(frozen=True)
class StripMark:
    """What a strip is found by, without writing on it. Strips have no lasting id in Blender.

    id: that which Recam gave it when it was re-shot, or empty.
    """

    scene: int
    name: str
    file: Path  # ``source_of`` it
    content_start: float
    first: int
    id: str = ""


def mark(strip: bpy.types.Strip, scene: bpy.types.Scene) -> StripMark:
    """What to find the strip by later on."""
    return StripMark(
        scene.session_uid,
        strip.name,
        source_of(strip),
        versions.content_start(strip),
        versions.first_frame(strip),
        id_of(strip),
    )


def id_of(strip: bpy.types.Strip) -> str:
    """The id that Recam gave the strip, or empty."""
    found = strip.get(ID)
    return found if isinstance(found, str) else ""


def find_strip(marked: StripMark) -> bpy.types.Strip:
    """The strip again: by its id, its name, or else as the only one that shows the same.

    Of several with its id, which are copies, the likest. A strip of its name that shows the same
    may have got another id since: see ``takes.family.adopt``. Raises RecamError ``strip_gone``.
    """
    scene = find(bpy.data.scenes, marked.scene, "scene")
    strips = versions.all_strips(scene.sequence_editor) if scene.sequence_editor else {}
    named = strips.get(marked.name)
    if named is not None and source_of(named) != marked.file:
        named = None
    marked_so = [s for s in strips if marked.id and s.type in KINDS and id_of(s) == marked.id]
    if marked_so and not (named is not None and id_of(named)):
        return max(marked_so, key=lambda strip: _likeness(strip, marked))
    if named is not None:
        return named
    alike = [s for s in strips if s.type in KINDS and source_of(s) == marked.file]
    if len(alike) == 1:
        return alike[0]
    raise RecamError(
        "strip_gone",
        f"The strip “{marked.name}” is no longer in the sequencer.",
        "Undo its removal, or start again with another strip.",
    )


def _likeness(strip: bpy.types.Strip, marked: StripMark) -> tuple[bool, ...]:
    return (
        strip.name == marked.name,
        source_of(strip) == marked.file,
        versions.content_start(strip) == marked.content_start,
        versions.first_frame(strip) == marked.first,
    )


def file_of(strip: bpy.types.Strip) -> Path:
    """A movie strip's file as an absolute path."""
    return _absolute(strip.filepath)


def source_of(strip: bpy.types.Strip) -> Path:
    """What a strip shows, to know it again by: its (first) file, else its kind and scene."""
    if strip.type == "MOVIE":
        return file_of(strip)
    if strip.type == "IMAGE":
        return image_files(strip, 0, 1)[0] if strip.elements else Path("IMAGE")
    if strip.type == "SCENE" and strip.scene:
        return Path("SCENE", strip.scene.name)
    return Path(strip.type)


def image_files(strip: bpy.types.Strip, start: int = 0, stop: int | None = None) -> list[Path]:
    """The pictures of an image strip, trimmed away or not, in their order."""
    folder = _absolute(strip.directory)
    return [folder / element.filename for element in strip.elements[start:stop]]


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(bpy.path.abspath(path)))


def picture_of(strip: bpy.types.Strip) -> Size | None:
    """The size of the picture that a strip places in the frame, (0, 0) where it cannot be read.

    None where it has none of its own: what it shows is laid out anew over each frame.
    """
    if strip.type in ("MOVIE", "IMAGE"):
        element = strip.elements[0] if strip.elements else None
        return (element.orig_width, element.orig_height) if element else (0, 0)
    if strip.type == "SCENE" and strip.scene_input == "CAMERA" and strip.scene:
        render = strip.scene.render
        share = render.resolution_percentage / 100
        return int(render.resolution_x * share), int(render.resolution_y * share)
    clip = getattr(strip, "clip", None)  # a movie clip strip's; hidden in Blender 4.2
    return tuple(clip.size) if clip else None


def siblings(strip: bpy.types.Strip):
    """The strips beside this one: of the sequencer, or of the meta strip that it lies in."""
    return versions.strips(strip.parent_meta() or strip.id_data.sequence_editor)


def placement_of(strip: bpy.types.Strip) -> Placement:
    """The strip's numbers as ``layout`` wants them; of one without a picture, over its frame."""
    transform, crop = strip.transform, strip.crop
    return Placement(
        picture=picture_of(strip) or frame_size(strip.id_data),
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
        for other in siblings(strip):
            inputs = [getattr(other, name, None) for name in ("input_1", "input_2")]
            inputs = [x for x in inputs if x is not None]
            shown = inputs and not other.mute and all(x in chain for x in inputs)
            if shown and other not in chain:
                chain.append(other)
                grown = True
    return chain[1:]


def masks(strips: list[bpy.types.Strip]) -> list[bpy.types.Strip]:
    """The strips that mask the modifiers of these, and of each other."""
    found = list(strips)
    for strip in found:
        for modifier in strip.modifiers:
            mask = modifier.input_mask_strip
            if mask is not None and mask not in found:
                found.append(mask)
    return found[len(strips) :]


def active_strip(scene: bpy.types.Scene) -> bpy.types.Strip | None:
    """The strip that the sequencer shows as the active one; for a movie's sound, the movie.

    Blender makes the sound active when a movie is added with it.
    """
    editor = scene.sequence_editor
    strip = editor.active_strip if editor else None
    if strip is None or strip.type != "SOUND" or strip.sound is None:
        return strip
    file, first = _absolute(strip.sound.filepath), versions.first_frame(strip)
    pictures = (
        each
        for each in siblings(strip)
        if each.type == "MOVIE" and versions.first_frame(each) == first and file_of(each) == file
    )
    return next(pictures, strip)
