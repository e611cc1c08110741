"""Takes that lie elsewhere, into the folder for takes."""

from __future__ import annotations

import os
import re
import shutil
from functools import lru_cache
from pathlib import Path

import bpy

from .. import versions
from ..clip.strips import file_of
from ..shared.errors import RecamError
from .family import is_take
from .folder import name_take, own_folder, takes_folder
from .place import stored_path
from .removal import doom, used_by_another
from .sidecar import read_sidecar, sidecar_of, write_sidecar
from .used import plain


def scattered() -> list[bpy.types.Strip]:
    """Take strips of all scenes whose files lie outside the folder for takes."""
    folder = takes_folder()
    return [
        strip
        for scene in bpy.data.scenes
        if scene.sequence_editor and scene.library is None
        for strip in versions.all_strips(scene.sequence_editor)
        if is_take(strip)
        and strip.type == "MOVIE"
        and not file_of(strip).is_relative_to(folder)  # looked at for each drawing: no disk
        and not _leads_into(file_of(strip).parent, folder)
    ]


@lru_cache(maxsize=64)
def _leads_into(other: Path, folder: Path) -> bool:
    """Whether links lead from one folder into the other; the disk is asked once."""
    return plain(other).is_relative_to(plain(folder))


def gather() -> int:
    """Bring all takes of a saved .blend into its folder for takes; how many files came.

    Strips and clips that show them follow. What lay in the user's own folder goes from there with
    the next save, unless another .blend may use it; what lay elsewhere stays there too.
    Raises RecamError ``takes_folder`` where that cannot be written to, and has changed nothing.
    """
    moved: dict[Path, Path] = {}
    strips = [strip for strip in scattered() if file_of(strip).is_file()]
    folder = takes_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for strip in strips:
            old = file_of(strip)
            if old not in moved:
                moved[old] = _bring(old, folder)
                _bring_sidecar(old, moved[old])
    except (OSError, RecamError) as error:
        for new in moved.values():
            new.unlink(missing_ok=True)
            sidecar_of(new).unlink(missing_ok=True)
        raise RecamError(
            "takes_folder",
            f"The takes cannot be brought to {folder} "
            f"({getattr(error, 'strerror', None) or error}).",
            "Choose another folder for takes in Recam's preferences.",
        ) from error
    for strip in strips:
        strip.filepath = stored_path(moved[file_of(strip)])
    places = {plain(old): new for old, new in moved.items()}
    for clip in bpy.data.movieclips:
        new = places.get(plain(bpy.path.abspath(clip.filepath, library=clip.library)))
        if new is not None:
            clip.filepath = stored_path(new)
    own = [old for old in moved if plain(old).is_relative_to(plain(own_folder()))]
    doom([old for old in own if not used_by_another(old)])
    return len(moved)


def _bring(file: Path, folder: Path) -> Path:
    """A second name for the file in the folder, or where that cannot be, a copy; its path."""
    beside = folder / f".{os.getpid()}.mp4"
    beside.unlink(missing_ok=True)
    try:
        os.link(file, beside)
    except OSError:
        try:
            shutil.copy2(file, beside)
        except OSError:
            beside.unlink(missing_ok=True)  # half of it
            raise
    return name_take(beside, re.sub(r"_take_\d+$", "", file.stem))


def _bring_sidecar(file: Path, new: Path) -> None:
    """Document the new file as the old one is; a take from before there were sidecars is not."""
    try:
        shot, record = read_sidecar(file)
    except RecamError:
        if sidecar_of(file).is_file():  # of a newer Recam, or damaged: it holds the camera
            shutil.copy2(sidecar_of(file), sidecar_of(new))
    else:
        write_sidecar(new, shot, record | {"blend": bpy.data.filepath})
