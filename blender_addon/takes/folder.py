"""Where takes lie: beside the .blend, never one over another."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryFile

import bpy

from ..local_server.places import data_folder
from ..preferences import takes_folder as chosen
from ..translations import words
from .sidecar import sidecar_of


def takes_folder() -> Path:
    """The preferences' folder, else ``recam_takes`` beside the .blend.

    While the .blend is not saved, what is relative to it is not known: the user's own folder.
    """
    if bpy.data.filepath or (chosen() and not chosen().startswith("//")):
        return Path(bpy.path.abspath(chosen() or "//recam_takes"))
    return own_folder()


def own_folder() -> Path:
    """The user's folder for takes that have no other place yet.

    Not the add-on's, which goes when it is uninstalled.
    """
    folder = data_folder() / "takes"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def writable_folder() -> tuple[Path, str]:
    """The folder for a new take, made if need be, and what to tell the artist of it.

    That is ``takes_folder``; where nothing can be written there, the user's own, and a sentence.
    """
    folder = takes_folder()
    if folder == own_folder():
        return folder, words(
            "The file is not saved: takes go to {folder}. Gather Takes brings them beside it.",
            folder=folder,
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder, ""
    except OSError as error:
        kept = own_folder()
        return kept, words(
            "Nothing can be written to {folder} ({reason}): takes go to {kept}. "
            "Gather Takes moves them once it can.",
            folder=folder,
            reason=error.strerror,
            kept=kept,
        )


def name_take(file: Path, strip_name: str) -> Path:
    """Rename ``file``, in its folder, to the strip's next take; its new path.

    Two Blenders that do so at once get two numbers.
    """
    stem = re.sub(r"[^\w.-]+", "_", Path(strip_name).stem).strip("._") or "clip"
    number = 1
    while True:
        named = file.with_name(f"{stem}_take_{number:03}.mp4")
        number += 1
        if sidecar_of(named).exists():  # of a take that lies elsewhere now, or is lost
            continue
        try:
            named.touch(exist_ok=False)  # takes the name, for this process alone
        except FileExistsError:
            continue
        try:
            return file.replace(named)
        except OSError:
            named.unlink(missing_ok=True)
            raise
