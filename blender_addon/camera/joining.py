"""A plate in one file: a movie texture takes no more."""

from __future__ import annotations

import shutil
from pathlib import Path

import bpy

from .. import versions
from ..clip.layout import Rect
from ..clip.plate import Plate
from ..clip.render import _set_neutral_colours, _set_output
from ..scene.temporary_scene import MARK, remove_strays


def one_file(plate: Plate, path: Path) -> None:
    """Move or write a rendered plate to ``path``."""
    if len(plate.parts) == 1:
        shutil.move(plate.parts[0], path)
        return
    remove_strays()
    scene = bpy.data.scenes.new("Recam")
    scene[MARK] = True
    try:
        strips, start = versions.strips(scene.sequence_editor_create()), 1
        for part in plate.parts:
            strip = strips.new_movie(part.stem, str(part), 1, start, fit_method="ORIGINAL")
            start = versions.end_frame(strip)
        size = Rect(0, 0, plate.width, plate.height)
        scene.render.fps, scene.render.fps_base = plate.rate.numerator, plate.rate.denominator
        _set_output(scene, size, range(1, start), path)
        _set_neutral_colours(scene)
        bpy.ops.render.render(animation=True, scene=scene.name)
    finally:
        remove_strays()
