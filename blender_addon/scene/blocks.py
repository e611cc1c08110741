"""Find data-blocks again, whatever the artist did in between."""

from __future__ import annotations

from ..shared.errors import RecamError


def find(collection, session_uid: int, kind: str):
    """The data-block with this session id; RecamError ``block_gone`` once it is deleted."""
    for block in collection:
        if block.session_uid == session_uid:
            return block
    raise RecamError("block_gone", f"The {kind} is no longer in the file.", "Start again.")
