"""Where a release is made: in a hidden folder, from which it moves into place in one step."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.errors import RecamError

PLAN = "plan.json"


def incoming(releases: Path) -> Path:
    """The folder of unfinished releases, on the same disk as the finished ones."""
    return releases / ".incoming"


def scrap(releases: Path) -> Path:
    """A folder whose content nobody misses: see ``held``."""
    return incoming(releases) / ".scrap"


@contextmanager
def held(releases: Path) -> Iterator[None]:
    """Be the only one who changes ``releases``; the system lets go when the process ends.

    What lies in ``scrap`` is deleted, then and at the end. RecamError ``weights_busy`` when
    another process is at it, ``weights_folder`` when nothing can be written there.
    """
    from filelock import FileLock, Timeout  # comes with torch, which listing does not need

    try:
        incoming(releases).mkdir(parents=True, exist_ok=True)
        lock = FileLock(incoming(releases) / "lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise RecamError(
            "weights_busy",
            f"Another `recam weights` is at work in {releases}.",
            "Wait until it has ended, or stop it; what it has fetched is kept.",
        ) from None
    except OSError as error:
        raise RecamError(
            "weights_folder",
            f"Nothing can be written to the folder {releases} ({error.strerror or error}).",
            "Choose another with --releases.",
        ) from None
    try:
        shutil.rmtree(scrap(releases), ignore_errors=True)
        yield
    finally:
        shutil.rmtree(scrap(releases), ignore_errors=True)
        lock.release()


def check_name(releases: Path, name: str) -> None:
    """RecamError ``weights_name`` or ``weights_exists`` unless a release may be called ``name``."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
        raise RecamError(
            "weights_name",
            f"{name!r} cannot be the name of a release.",
            "Use letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
        )
    if (releases / name).exists():
        raise RecamError(
            "weights_exists",
            f"{releases / name} exists already.",
            f"Take another --name, or `recam weights remove {name}` first.",
        )


def holdings(folder: Path) -> int:
    """Bytes below ``folder``, or in that file, that were fetched or converted; 0 if unreadable."""
    below = [Path(top, name) for top, _, names in os.walk(folder) for name in names if name != PLAN]
    return sum(file.stat().st_size for file in (folder, *below) if os.path.isfile(file))


def check_space(releases: Path, needed: int) -> None:
    """RecamError ``disk_full`` unless ``needed`` bytes are free where ``releases`` is."""
    free = shutil.disk_usage(releases).free
    if free < needed:
        raise RecamError(
            "disk_full",
            f"{size_words(needed)} must be free in {releases}, and {size_words(free)} are.",
            "Free some space, or choose a folder on another disk with --releases.",
        )


def put_in_place(made: Path, target: Path) -> None:
    """Make the finished folder ``made`` the release ``target``: all of it, or nothing."""
    for file in made.rglob("*"):
        if file.is_file():
            flush(file)
    made.rename(target)
    if os.name == "posix":
        flush(target.parent)


def flush(path: Path) -> None:
    """Have the system write a file, or a folder's names, to the disk now."""
    # Windows flushes only what is open for writing; a folder opens only for reading.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def size_words(size: int) -> str:
    """A number of bytes as people read it: "11.4 GB", "3.8 MB"."""
    for unit, name in ((1e9, "GB"), (1e6, "MB")):
        if size >= unit / 10:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1e3:.1f} kB"
