"""How far a re-shoot is, in one line and in Blender's language."""

from __future__ import annotations

from ..jobs.stand import WORDS, Stand
from ..translations import words


def line_of(stand: Stand) -> str:
    """The stage, with the time left where it is known; of an engine in the server's own words."""
    if stand.stage == "queued" and stand.ahead == 1:
        said = words("Waiting for 1 other job")
    elif stand.stage == "queued" and stand.ahead:
        said = words("Waiting for {count} other jobs", count=stand.ahead)
    else:
        said = stand.words if stand.doing else words(WORDS[stand.stage])
    if not stand.time_left:
        return said
    return words("{stage}: {time} left", stage=said, time=stand.time_left)
