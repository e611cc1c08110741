"""From what was fetched to takes in the sequencer."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import bpy

from ..scene.temporary_scene import rendering
from ..shared.client.state import JobState
from ..shared.errors import RecamError
from ..takes.folder import name_take
from ..takes.place import Result, place_takes
from ..takes.sidecar import write_sidecar
from .aside import aside
from .parcel import Parcel

UNNAMED = "take_unnamed"  # the error of a take that is fetched, and can be fetched again
LOOK_SECONDS = 0.25  # until it is looked again whether the artist is in the middle of something


def named(fetched: list[Path], state: JobState, parcel: Parcel) -> list[Result]:
    """Give the fetched files their names as takes; with all that made them.

    Raises RecamError ``take_unnamed`` where the disk does not let it; they then have their old
    names.
    """
    request = parcel.request
    record = {
        "job": request.job,
        "engine": state.engine,
        "subject_distance": request.shot.subject_distance,
        "settings": request.settings,
        "remarks": state.result["remarks"],
        "clip": request.name,
        "blend": bpy.data.filepath,
    }
    return [
        Result(
            path,
            tuple(take["content_size"]),
            record | {"report": take["report"], "content_size": take["content_size"]},
        )
        for path, take in zip(_renamed(fetched, request.name), state.result["takes"], strict=True)
    ]


def _renamed(files: list[Path], name: str) -> list[Path]:
    paths = []
    try:
        for file in files:
            paths.append(name_take(file, name))
    except OSError as error:
        for path, file in zip(paths, files, strict=False):
            with contextlib.suppress(OSError):
                path.replace(file)
        raise RecamError(
            UNNAMED,
            f"The take of “{name}” cannot be kept in {files[0].parent} "
            f"({error.strerror or error}).",
            "It is not lost: once that folder is there and has room, save this .blend and open it "
            "again. The take is then fetched again.",
        ) from error
    return paths


def in_the_way() -> bool:
    """Whether strips and an undo step must wait: Blender renders, or the artist drags something.

    Modal operators of add-ons do not count: some never end.
    """
    builtin = (
        bpy.types.Operator.bl_rna_get_subclass_py(each.bl_idname) is None
        for window in bpy.context.window_manager.windows
        for each in window.modal_operators
    )
    return rendering() or any(builtin)


def wait() -> Iterator[float]:
    """Wait until nothing is ``in_the_way``."""
    while in_the_way():
        yield LOOK_SECONDS


def place(parcel: Parcel, results: list[Result]) -> list[str]:
    """Document the takes and put them above their strip; the new strips' names.

    Raises RecamError as ``place_takes`` does; its hint tells where the files are kept.
    """
    try:
        for result in results:
            write_sidecar(result.path, parcel.request.shot, result.settings)
        return [strip.name for strip in place_takes(parcel.plate, results)]
    except RecamError as error:
        files = ", ".join(str(result.path) for result in results)
        kept = "The take itself is kept" if len(results) == 1 else "The takes are kept"
        hint = f"{error.hint} {kept}: {files}"
        raise RecamError(error.code, error.sentence, hint) from error


def to_values(results: list[Result]) -> list[dict]:
    """The results as plain values, for a record."""
    return [
        {"path": str(each.path), "content": list(each.content), "settings": each.settings}
        for each in results
    ]


def from_values(values: list[dict]) -> list[Result]:
    """The results again."""
    return [Result(Path(each["path"]), tuple(each["content"]), each["settings"]) for each in values]


def moved(files: list[Path], folder: Path) -> Iterator[float]:
    """Move the files to a folder, which may lie on another disk.

    Brings their new paths, and what to tell the artist of those that stay where they are.
    """

    def move() -> tuple[list[Path], str]:
        paths, remark = [], ""
        for file in files:
            new = folder / file.name
            try:
                paths.append(Path(shutil.move(file, new)))
            except OSError as error:
                paths.append(file)
                remark = (
                    f"Takes cannot be moved to {folder} ({error.strerror or error}): they lie in "
                    f"{file.parent}. Gather Takes moves them once it can."
                )
                with contextlib.suppress(OSError):
                    new.unlink(missing_ok=True)  # half of it
        return paths, remark

    return (yield from aside(move))
