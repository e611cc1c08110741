"""Walk the real scene through frames without losing what the artist changed but did not key."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

import bpy

from .. import versions


@contextmanager
def everything_kept(scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """Let the caller change the scene's frame; put frame, camera and unkeyed values back.

    Changing the frame makes Blender overwrite every animated value from its curves. Values
    that differ from their curve when the ``with`` begins are written back when it ends.
    """
    frame, subframe, camera = scene.frame_current, scene.frame_subframe, scene.camera
    before = {channel: _read(*channel) for channel in _channels()}
    try:
        yield scene
    finally:
        scene.frame_set(frame, subframe=subframe)
        if scene.camera != camera:
            scene.camera = camera
        for channel, value in before.items():
            if value is not None and _read(*channel) != value:
                _write(*channel, value)


def _channels() -> set[tuple[bpy.types.ID, str, int]]:
    """(owner, data path, index) of every animated value in the file."""
    return {
        (owner, curve.data_path, curve.array_index)
        for owner in _animated()
        for curve in versions.curves(owner.animation_data)
    }


def _animated() -> Iterator[bpy.types.ID]:
    for kind in bpy.data.bl_rna.properties:
        if kind.type != "COLLECTION":
            continue
        for block in getattr(bpy.data, kind.identifier):
            for owner in (block, getattr(block, "node_tree", None)):
                if getattr(owner, "animation_data", None) is not None:
                    yield owner


def _read(owner, path: str, index: int):
    """The value now; None where the curve points at nothing."""
    try:
        value = owner.path_resolve(path)
        return value if isinstance(value, str) or not hasattr(value, "__len__") else value[index]
    except (ValueError, IndexError):
        return None


def _write(owner, path: str, index: int, value) -> None:
    try:
        holder = owner.path_resolve(path)
        if hasattr(holder, "__len__") and not isinstance(holder, str):
            holder[index] = value
        elif path.endswith("]"):  # a custom property
            prefix, _, key = path.rpartition("[")
            _resolve(owner, prefix)[ast.literal_eval(key[:-1])] = value
        else:
            prefix, _, name = path.rpartition(".")
            setattr(_resolve(owner, prefix), name, value)
    except (AttributeError, ValueError):  # cannot be written: linked from another file
        pass


def _resolve(owner, path: str):
    return owner.path_resolve(path) if path else owner
