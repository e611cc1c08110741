"""What tells one .blend and one strip from all others, wherever they are moved: ids inside them.

They are custom properties, made at the first re-shoot. An undo takes them away again, so that
they are kept here while the file is open, and written anew before each save.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import bpy

from .. import versions
from ..clip.strips import ID, KINDS, StripMark, find_strip, mark, source_of
from ..identity import ADDON
from ..shared.errors import RecamError
from ..shared.protocol.request import new_id
from ..takes.family import is_take, record_of
from .records import Record

FILE_ID = "recam_file"  # custom property of scenes

_file_id = ""  # of the .blend that is open; empty while it has none


def folder() -> Path:
    """Where the records of this user's jobs lie."""
    return Path(bpy.utils.extension_path_user(ADDON, path="jobs", create=True))


def known_id() -> str:
    """The id of the .blend that is open, or empty."""
    return _file_id


def file_id() -> str:
    """The id of the .blend that is open, made if it has none."""
    set_file_id(_file_id or new_id())
    return _file_id


def set_file_id(value: str) -> None:
    """Let the .blend that is open have this id, or none if it is empty."""
    global _file_id
    _file_id = value
    for scene in bpy.data.scenes:
        if value and scene.library is None and scene.get(FILE_ID) != value:
            scene[FILE_ID] = value


def read_file_id() -> None:
    """Take over the id that the .blend brought with it, once it is loaded."""
    global _file_id
    ids = (scene.get(FILE_ID) for scene in bpy.data.scenes if scene.library is None)
    _file_id = next((each for each in ids if isinstance(each, str)), "")


def strip_id(marked: StripMark, wanted: str) -> str:
    """The id of the strip that is marked, if it is found: its own, else ``wanted`` from now on."""
    try:
        strip = find_strip(marked)
    except RecamError:
        return wanted
    if not isinstance(strip.get(ID), str):
        strip[ID] = wanted
    return strip[ID]


def holds_take_of(job: str) -> bool:
    """Whether a take of the job lies in the .blend that is open."""
    editors = [scene.sequence_editor for scene in bpy.data.scenes if scene.sequence_editor]
    strips = [strip for editor in editors for strip in versions.all_strips(editor)]
    return any(is_take(strip) and record_of(strip).get("job") == job for strip in strips)


def found_again(record: Record) -> StripMark:
    """The mark of the strip that the job was made of, in the .blend that is open now.

    By its id, a copy's aside, else by name and file; where it is not there, a mark by which it is
    found should it come back.
    """
    kept = record.strip
    place = {"content_start": kept["content_start"], "first": kept["first"]}
    candidates = [
        (strip, scene)
        for scene in bpy.data.scenes
        if scene.sequence_editor
        for strip in versions.all_strips(scene.sequence_editor)
        if strip.type in KINDS
    ]

    def likeness(candidate) -> tuple:
        strip, scene = candidate
        named = strip.name == kept["name"]
        alike = named and source_of(strip) == Path(kept["file"])
        return strip.get(ID) == kept["id"], alike, scene.name == kept["scene"]

    best = max(candidates, key=likeness, default=None)
    if best is not None and any(likeness(best)[:2]):
        return replace(mark(*best), **place)
    scenes = sorted(bpy.data.scenes, key=lambda scene: scene.name != kept["scene"])
    return StripMark(
        scenes[0].session_uid, kept["name"], Path(kept["file"]), **place, id=kept["id"]
    )
