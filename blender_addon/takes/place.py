"""Results become takes: strips above the original, in its place and time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import bpy

from .. import versions
from ..camera.sampling import frame_size
from ..clip.layout import filling, picture_rect
from ..clip.plate import Plate
from ..clip.strips import animated, find_strip, placement_of, siblings, source_of
from ..scene.blocks import find
from ..shared.errors import RecamError
from .channels import free_channel
from .family import SETTINGS, adopt, is_take
from .viewing import show

NAME_BYTES = 61  # what Blender keeps of a strip's name


@dataclass(frozen=True)
class Result:
    """A take as it came from the server.

    content: (width, height) in the file of the picture itself; a row or column that was added
    right or below it to make the size even is cropped away. settings: what made the take,
    stored on it as JSON.
    """

    path: Path
    content: tuple[int, int]
    settings: dict


def place_takes(plate: Plate, results: list[Result]) -> list[bpy.types.Strip]:
    """Put the results above the strip that ``plate`` was made of; the new strips.

    Each lies above the one before it, beside the original where that is in a meta strip, without
    the plate's handles, which can be pulled out of it. The first is shown and active, the others
    wait muted, as do the original and its earlier takes. The original gets an id that its takes
    know it by, and is otherwise left as it is; if it was moved, trimmed or renamed meanwhile, the
    takes follow. All of them or none, in one undo step.
    Raises RecamError ``strip_gone``, ``take_file``, ``take_channels``.
    """
    strip = find_strip(plate.strip)
    scene = find(bpy.data.scenes, plate.strip.scene, "scene")
    editor = scene.sequence_editor
    takes = []
    try:
        for result in results:
            above = takes[-1] if takes else strip
            takes.append(_place(plate, result, strip, above.channel, scene))
    except RecamError:
        for take in takes:
            siblings(strip).remove(take)
        raise
    show(takes[0], scene)
    for other in versions.all_strips(editor):
        other.select = other == takes[0]
    editor.active_strip = takes[0]
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.ed.undo_push(message="Re-shoot clip")
    return takes


def _place(plate: Plate, result: Result, strip, above: int, scene) -> bpy.types.Strip:
    editor, holder = scene.sequence_editor, strip.parent_meta() or scene.sequence_editor
    moved = round(versions.content_start(strip) - plate.strip.content_start)
    shown = _shown(strip, plate, moved)
    take = siblings(strip).new_movie(
        name=_name(editor, strip),
        filepath=stored_path(result.path),
        channel=free_channel(holder, above, shown.start, shown.stop),
        frame_start=plate.strip.first + moved - plate.handles[0],
        fit_method="ORIGINAL",
    )
    element = take.elements[0] if take.elements else None
    if element is None or not element.orig_width:
        siblings(strip).remove(take)
        raise RecamError(
            "take_file", f"Blender cannot read the result: {result.path}", "Make the take again."
        )
    versions.set_end_frame(take, shown.stop)
    versions.set_first_frame(take, shown.start)
    _lay(take, plate, scene, strip, result.content)
    if strip.blend_type != "CROSS":
        take.blend_type = strip.blend_type
    if not animated(strip, scene) & {"blend_alpha"}:  # a fade is in the plate already
        take.blend_alpha = strip.blend_alpha
    take[SETTINGS] = json.dumps(result.settings)
    adopt(strip, take, scene)
    return take


def _shown(strip, plate: Plate, moved: int) -> range:
    """The frames of the plate that the strip, or what it was cut into meanwhile, still shows."""
    before, after = plate.handles
    start = plate.strip.first + moved
    whole = range(start, start + plate.frames - before - after)
    pieces = [
        piece
        for piece in siblings(strip)
        if piece.type == strip.type
        and source_of(piece) == source_of(strip)
        and versions.content_start(piece) == versions.content_start(strip)
        and is_take(piece) == is_take(strip)
    ]
    first = max(whole.start, min(versions.first_frame(piece) for piece in pieces))
    end = min(whole.stop, max(versions.end_frame(piece) for piece in pieces))
    return range(first, end) if first < end else whole


def _name(editor, strip) -> str:
    """“<strip> take N”, N the first that is free; a take's own take counts on."""
    base = re.sub(r" take \d+$", "", strip.name) if is_take(strip) else strip.name
    number = 1
    while True:
        ending = f" take {number}"
        room = NAME_BYTES - len(ending)
        name = base.encode()[:room].decode(errors="ignore") + ending
        if name not in versions.all_strips(editor):
            return name
        number += 1


def stored_path(path: Path) -> str:
    """Relative to the saved file where the artist's preferences say so."""
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        try:
            return bpy.path.relpath(str(path))
        except ValueError:  # another drive
            pass
    return str(path)


def _lay(take, plate: Plate, scene, strip, content: tuple[int, int]) -> None:
    frame = frame_size(scene)
    rect = picture_rect(placement_of(strip), frame) if plate.original else plate.rect
    placed = filling(rect, frame, placement_of(take).picture, content)
    transform, crop = take.transform, take.crop
    transform.scale_x, transform.scale_y = placed.scale
    transform.offset_x, transform.offset_y = placed.offset
    crop.min_x, crop.max_y, crop.max_x, crop.min_y = placed.crop
