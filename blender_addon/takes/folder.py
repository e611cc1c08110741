"""Where takes lie: beside the .blend, never one over another."""

from __future__ import annotations

import re
from pathlib import Path

import bpy

from ..identity import ADDON


def takes_folder() -> Path:
    """``recam_takes`` beside the .blend; in the user's own folder while that is not saved."""
    if bpy.data.filepath:
        return Path(bpy.data.filepath).parent / "recam_takes"
    return Path(bpy.utils.extension_path_user(ADDON, path="takes", create=True))


def name_take(file: Path, strip_name: str) -> Path:
    """Rename ``file``, in its folder, to the strip's next take; its new path.

    Two Blenders that do so at once get two numbers.
    """
    stem = re.sub(r"[^\w.-]+", "_", Path(strip_name).stem).strip("._") or "clip"
    number = 1
    while True:
        named = file.with_name(f"{stem}_take_{number:03}.mp4")
        try:
            named.touch(exist_ok=False)  # takes the name, for this process alone
            return file.replace(named)
        except FileExistsError:
            number += 1
