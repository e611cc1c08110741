"""What has arrived of takes: kept beside the place where each will lie, until it is whole."""

from __future__ import annotations

import asyncio
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
from ..protocol.limits import CHUNK_BYTES

SUFFIX = ".recam.part"
KEPT_SECONDS = 7 * 86_400.0  # since the last byte; the server may have it longer
PIECE_BYTES = 4 * 1024 * 1024  # of what is read at a time


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


class Arriving:
    """A take that arrives in the open file ``part``. ``offset``: bytes that are there."""

    def __init__(self, part: IO, size: int) -> None:
        self.size = size
        self.offset = 0
        self._part = part
        self._digest = hashlib.sha256()

    async def take_up(self) -> None:
        """Read what is there already: whole chunks of it are kept. Raises OSError."""
        there = self._part.seek(0, os.SEEK_END)
        kept = there if there == self.size else there - there % CHUNK_BYTES
        self._part.truncate(kept if there <= self.size else 0)
        self._part.seek(0)
        while piece := await asyncio.to_thread(self._part.read, PIECE_BYTES):
            await asyncio.to_thread(self._digest.update, piece)
            self.offset += len(piece)

    def begin_again(self) -> None:
        """Throw away what is there."""
        self._part.truncate(0)
        self._digest, self.offset = hashlib.sha256(), 0

    def keep(self, data: bytes | memoryview) -> None:
        """Add what comes next. Raises OSError."""
        self._digest.update(data)
        self._part.write(data)
        self._part.flush()  # to the system, lest the end of a chunk die with this process
        self.offset += len(data)

    def sha256(self) -> str:
        """Of all that is there, in hexadecimal."""
        return self._digest.hexdigest()

    def flush(self) -> None:
        """Bring it to the disk. May take seconds; raises OSError."""
        os.fsync(self._part.fileno())
