"""Where takes lie: beside the .blend, never one over another."""

from __future__ import annotations

import re
from pathlib import Path

import bpy


def free_take_file(strip_name: str) -> Path:
    """A file name for the next take of this strip that no file has yet.

    In ``recam_takes`` beside the .blend; in the user's own folder while that is not saved.
    """
    if bpy.data.filepath:
        folder = Path(bpy.data.filepath).parent / "recam_takes"
    else:
        folder = Path(bpy.utils.extension_path_user(__package__, path="takes", create=True))
    stem = re.sub(r"[^\w.-]+", "_", Path(strip_name).stem).strip("._") or "clip"
    number = 1
    while (file := folder / f"{stem}_take_{number:03}.mp4").exists():
        number += 1
    return file
