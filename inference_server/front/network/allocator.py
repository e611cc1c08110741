"""Has long buffers given back to the system as soon as they are free."""

from __future__ import annotations

import ctypes
import sys

# Of <malloc.h>.
_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3

LONG_BYTES = 1024 * 1024  # a chunk is shorter: it comes by thousands, and new memory costs time
KEPT_BYTES = 16 * 1024 * 1024  # of free memory, for the chunks to come


def give_back() -> None:
    """Linux' C library keeps a freed buffer among its own memory, once it has seen one as long.

    With a threshold that is set, it maps each long buffer by itself. Other systems do so anyway,
    or cannot be told.
    """
    if sys.platform == "linux":
        tell = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if tell is not None:
            tell(_MMAP_THRESHOLD, LONG_BYTES)
            tell(_TRIM_THRESHOLD, KEPT_BYTES)
