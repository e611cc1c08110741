"""Takes' files that go: not before the .blend is saved without them, and never another's.

So an undo brings a deleted take back whole, and a .blend on the disk never misses one.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import bpy

from ..clip.strips import file_of, siblings
from ..translations import words
from .family import family_of
from .folder import own_folder, takes_folder
from .sidecar import read_record, sidecar_of
from .used import plain, used_elsewhere, used_files
from .viewing import end_wipe, show

_doomed: dict[Path, str] = {}  # files, each with the .blend that was open then


def why_kept(take: bpy.types.Strip) -> str:
    """Why a take's file outlives its strip, in words; empty where it does not."""
    file = file_of(take)
    if not file.is_file():
        return words("Its file is missing already.")
    folders = plain(takes_folder()), plain(own_folder())
    if not any(plain(file).is_relative_to(folder) for folder in folders):
        said = "Its file stays: it lies outside the folder for takes, {folder}."
        return words(said, folder=takes_folder())
    if not read_record(file):
        return words("Its file stays: nothing beside it says that Recam made it.")
    user = used_files(but=take).get(plain(file))
    if user is not None:
        return words("Its file stays: {user} uses it.", user=user)
    user = used_by_another(file)
    return words("Its file stays: {name} may use it.", name=user) if user else ""


def used_by_another(file: Path) -> str:
    """The name of another .blend that may use a take's file: beside this one, or its maker."""
    made_by = "" if _beside(file) else read_record(file).get("blend", "")
    return used_elsewhere([file], made_by).get(file, "")


def delete_take(take: bpy.types.Strip, scene: bpy.types.Scene) -> str:
    """Remove the take's strip, and its file with the next save; what becomes of that, in words.

    Where nothing of its family would be shown any more, the original is.
    """
    family, kept = family_of(take, scene), why_kept(take)
    file, size = file_of(take), size_in_words([file_of(take)])
    rest = [strip for strip in family.strips if strip != take]
    end_wipe(family, scene)
    heir = next((strip for strip in rest if not strip.mute), rest[0] if rest else None)
    siblings(take).remove(take)
    if heir is not None and heir.mute:
        show(heir, scene)
    if heir is not None:
        scene.sequence_editor.active_strip = heir
        heir.select = True
    if not kept:
        doom([file])
    return kept or words("Its file ({size}) goes when you save.", size=size)


def unused_takes() -> list[Path]:
    """Files of the folder for takes that this .blend made and nothing uses any more.

    Recam's own alone, told by their sidecars.
    """
    used = used_files()
    files = [
        file
        for file in sorted(takes_folder().glob("*.mp4"))
        if _ours(file) and plain(file) not in used and file not in _doomed
    ]
    elsewhere = used_elsewhere(files)
    return [file for file in files if file not in elsewhere]


def doom(files: list[Path]) -> None:
    """Let these files and their sidecars go with the next save, if nothing uses them then."""
    _doomed.update(dict.fromkeys(files, bpy.data.filepath))


def size_in_words(files: list[Path]) -> str:
    """How much the files hold: “12 MB”."""
    total = sum(file.stat().st_size for file in files if file.is_file())
    return f"{total / 1e6:.0f} MB" if total >= 1e7 else f"{total / 1e6:.1f} MB"


def _ours(file: Path) -> bool:
    """Whether the .blend that is open made this file.

    In a folder beside it, the .blend is known by its name: both may have moved together.
    """
    made_by, here = read_record(file).get("blend"), bpy.data.filepath
    if not made_by or not here:
        return False
    return Path(made_by).name == Path(here).name if _beside(file) else made_by == here


def _beside(file: Path) -> bool:
    here = bpy.data.filepath
    return bool(here) and plain(file).is_relative_to(plain(here).parent)


@bpy.app.handlers.persistent
def _after_save(path: str = "", *_) -> None:
    if path and path != bpy.data.filepath:  # a copy, while this one goes on unsaved
        return
    saved_over = [file for file, blend in _doomed.items() if blend in ("", bpy.data.filepath)]
    _doomed.clear()  # those of a .blend that was saved under another name still use theirs
    used = used_files()
    for file in saved_over:
        if plain(file) not in used:
            for path in (file, sidecar_of(file)):
                with contextlib.suppress(OSError):  # open in another program, in Windows
                    path.unlink(missing_ok=True)


@bpy.app.handlers.persistent
def _before_load(*_) -> None:
    _doomed.clear()


def register() -> None:
    bpy.app.handlers.save_post.append(_after_save)
    bpy.app.handlers.load_pre.append(_before_load)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_before_load)
    bpy.app.handlers.save_post.remove(_after_save)
    _doomed.clear()
