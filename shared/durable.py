"""Files that are still there, and whole, after the machine has lost its power."""

from __future__ import annotations

import errno
import os
from pathlib import Path

# What disks say, some of them in a network, that cannot flush a folder.
_CANNOT = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)


def flush(file: Path) -> None:
    """Bring a file's content, and its name, to the disk. May take seconds; raises OSError."""
    with file.open("r+b") as opened:
        os.fsync(opened.fileno())
    flush_folder(file.parent)


def replace(draft: Path, final: Path) -> None:
    """Rename a file that was flushed, durably, over what may lie there. Raises OSError."""
    draft.replace(final)
    flush_folder(final.parent)


def flush_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk, if that disk can. Raises OSError."""
    if os.name == "nt":  # Windows has no handle on a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(handle)
