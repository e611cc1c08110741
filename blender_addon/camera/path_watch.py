"""The paths of the scenes that are shown, and what lets them know that something has changed."""

from __future__ import annotations

import traceback

import bpy
import numpy as np

from ..scene.temporary_scene import MARK
from .path import IDLE_SECONDS, Path

_paths: dict[int, Path] = {}  # by the scene's session_uid


def path_of(scene: bpy.types.Scene) -> Path:
    """The path of a scene; from the first time on it is kept up to date."""
    uid = scene.session_uid
    if uid not in _paths:
        _paths[uid] = Path(scene)
    return _paths[uid]


def tick() -> float:
    """Do a little of what is to be done; the seconds until the next."""
    delays = [IDLE_SECONDS]
    for uid, path in list(_paths.items()):
        try:
            delay = path.tick()
        except Exception as error:
            traceback.print_exc()  # to Blender's console; a timer would end with it
            path.fail(f"Recam's add-on made a mistake ({type(error).__name__}: {error}).")
            continue
        if delay is None:
            del _paths[uid]
        else:
            delays.append(delay)
    return min(delays)


@bpy.app.handlers.persistent
def _on_update(scene, graph) -> None:
    """Something was evaluated anew: by the artist, or merely since a temporary scene came and
    went, which moves nothing."""
    moved = np.zeros(len(graph.updates), bool)
    graph.updates.foreach_get("is_updated_transform", moved)  # a loop over thousands is felt
    edited = graph.id_type_updated("CAMERA") or graph.id_type_updated("ACTION")
    if MARK not in scene and (edited or moved.any()):
        for path in _paths.values():
            path.evaluated(graph.updates)


@bpy.app.handlers.persistent
def _on_undo(*_) -> None:
    for path in _paths.values():
        path.changed()


@bpy.app.handlers.persistent
def _on_load(*_) -> None:
    _paths.clear()


HANDLERS = (
    ("depsgraph_update_post", _on_update),
    ("undo_post", _on_undo),
    ("redo_post", _on_undo),
    ("load_pre", _on_load),
)


def register() -> None:
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    if not bpy.app.background:  # timers never fire there
        bpy.app.timers.register(tick, persistent=True)


def unregister() -> None:
    if bpy.app.timers.is_registered(tick):
        bpy.app.timers.unregister(tick)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    _paths.clear()
