"""Find data-blocks again, whatever the artist did in between."""

from __future__ import annotations

from ..shared.errors import RecamError


def stands_in(thing, scene) -> bool:
    """Whether an object is in a scene; quicker by far than its ``users_scene``."""
    collections = scene.collection, *scene.collection.children_recursive
    return any(each.user_of_id(thing) for each in collections)


def find(collection, session_uid: int, kind: str):
    """The data-block with this session id; RecamError ``block_gone`` once it is deleted."""
    for block in collection:
        if block.session_uid == session_uid:
            return block
    raise RecamError("block_gone", f"The {kind} is no longer in the file.", "Start again.")
