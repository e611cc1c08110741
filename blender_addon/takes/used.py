"""Who uses a take's file: strips and clips of this .blend, and the other .blends beside it."""

from __future__ import annotations

import mmap
import os
from functools import lru_cache
from pathlib import Path

import bpy

from .. import versions
from ..translations import words


def plain(path: str | Path) -> Path:
    """The path in a form that can be compared, whichever links lead there."""
    return Path(os.path.normcase(os.path.realpath(path)))


def used_files(but: bpy.types.Strip | None = None) -> dict[Path, str]:
    """Files that this .blend's strips and clips use, each with a user in words; ``but`` aside."""
    found = {}
    for scene in bpy.data.scenes:
        for strip in versions.all_strips(scene.sequence_editor) if scene.sequence_editor else ():
            if strip.type == "MOVIE" and strip != but:
                path = bpy.path.abspath(strip.filepath, library=scene.library)
                found[plain(path)] = words("the strip “{name}”", name=strip.name)
    for kind, blocks in (
        ("the movie clip “{name}”", bpy.data.movieclips),
        ("the image “{name}”", bpy.data.images),
        ("the sound “{name}”", bpy.data.sounds),
    ):
        for block in blocks:
            if block.filepath:
                path = bpy.path.abspath(block.filepath, library=block.library)
                found[plain(path)] = words(kind, name=block.name)
    return found


def used_elsewhere(files: list[Path], more: str = "") -> dict[Path, str]:
    """Those of the files that other .blends beside this one may use, each with one's name.

    more: path of a .blend elsewhere that may use them too. A .blend holds the names of its files
    as they are; one that is compressed tells nothing, and is taken to use them all.
    """
    here = bpy.data.filepath
    blends = sorted(Path(here).parent.glob("*.blend")) if here else []
    blends += [Path(more)] if more and Path(more).is_file() else []
    found = {}
    for blend in blends:
        if plain(blend) != plain(here):
            rest = [file for file in files if file not in found]
            found |= {file: blend.name for file in rest if _may_name(blend, file.name)}
    return found


def _may_name(blend: Path, name: str) -> bool:
    try:
        state = blend.stat()
        return _holds(blend, state.st_size, state.st_mtime_ns, os.fsencode(name))
    except (OSError, ValueError):  # not ours to read, a folder, or empty
        return True


@lru_cache(maxsize=4096)
def _holds(blend: Path, size: int, changed: int, name: bytes) -> bool:
    """Whether a .blend of that size and time of change may hold the name; it is read once."""
    with blend.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data[:7] != b"BLENDER" or data.find(name) >= 0
