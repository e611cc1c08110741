"""Has long buffers given back to the system as soon as they are free."""

from __future__ import annotations

import ctypes
import sys

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of <malloc.h>
LONG_BYTES = 256 * 1024  # a chunk is longer


def give_back() -> None:
    """Linux' C library keeps a freed chunk among its own memory, once it has seen one as long.

    With a threshold that is set, it maps each long buffer by itself. Other systems do so anyway,
    or cannot be told.
    """
    if sys.platform == "linux":
        tell = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if tell is not None:
            tell(_MMAP_THRESHOLD, LONG_BYTES)
