"""A file that one process alone holds: the system frees it when that ends, however it ends."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO


def claim(path: Path, mode: str = "ab") -> IO | None:
    """Take the file, made if it is not there; ``close`` lets it go. None where another has it.

    mode: how it is opened: for appending, binary.

    Raises OSError where it cannot be made.
    """
    file = path.open(mode)
    try:
        _lock(file)
    except OSError:
        file.close()
        return None
    return file


def _lock(file: IO) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # a disk that knows no locks
                raise
