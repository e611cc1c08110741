"""Where a take lies until it is whole: beside its place, for whoever fetches it on."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import IO

from ..claims import claim

SUFFIX = ".recam.part"
KEPT_SECONDS = 7 * 86_400.0  # since the last byte; the server may have it longer


def part_path(path: Path, sha256: str) -> Path:
    """Where a take that will lie at ``path`` arrives. Another take has another place."""
    return path.with_name(f"{_beginning(path)}{sha256[:16]}{SUFFIX}")


def open_part(path: Path, sha256: str) -> tuple[Path, IO]:
    """The file for a take that will lie at ``path``, open, and where it lies; held by this process.

    It may hold what an earlier process left. Where another process fetches the same at the moment,
    it is a file of its own. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = part_path(path, sha256)
    held = claim(draft, "a+b")
    if held is not None and draft.exists():  # else its former holder has just renamed it
        return draft, held
    draft = draft.with_name(f".{secrets.token_hex(16)}{SUFFIX}")
    return draft, draft.open("a+b")


def remove(path: Path) -> None:
    """Throw away what has arrived of takes that were to lie at ``path``."""
    one_take = "[0-9a-f]" * 16
    for part in path.parent.glob(f"{glob.escape(_beginning(path))}{one_take}{SUFFIX}"):
        with contextlib.suppress(OSError):  # in use, in Windows
            part.unlink(missing_ok=True)


def _beginning(path: Path) -> str:
    """Of the names of all parts that were to lie at ``path``, and of no other's."""
    whole_name = hashlib.sha256(os.fsencode(path.name)).hexdigest()
    return f".{path.stem[:40]}.{whole_name[:8]}."


def is_whole(path: Path, size: int, sha256: str) -> bool:
    """Whether that very take lies at ``path``. Raises OSError."""
    if not path.is_file() or path.stat().st_size != size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def remove_old(folder: Path) -> None:
    """Remove what arrived long ago in that folder, and which nobody has asked for since."""
    for part in folder.glob(f".*{SUFFIX}"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > KEPT_SECONDS and (held := claim(part)):
                held.close()
                part.unlink()


def check_room(folder: Path, size: int) -> None:
    """Raise the OSError of a full disk now, if so many bytes more are going to meet it."""
    disk = shutil.disk_usage(folder)
    if disk.total > 0 and disk.free < size:  # some disks in a network do not tell
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
