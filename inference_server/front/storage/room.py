"""Room on the disk: for clips and results, and for what jobs at work write."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from shared.errors import RecamError
from shared.words import size

from ..limits import GB, Limits
from .store import disk_error


@dataclass(frozen=True)
class Space:
    """Bytes that clips, uploads and results may take: in all, of one client, and until the disk
    would have less left than the machine needs."""

    all: int
    per_client: int
    free: int


def space(limits: Limits, folder: Path) -> Space:
    """What there is on the disk of ``folder``.

    In all a quarter of the disk, of one client half of that, and 5 GB are left free, or a
    twentieth of a disk that is smaller than 100 GB.
    """
    disk = shutil.disk_usage(folder)
    most = disk.total // 4 if limits.bytes is None else limits.bytes
    own = most // 2 if limits.bytes_per_client is None else limits.bytes_per_client
    return Space(most, own, max(0, disk.free - _left_free(disk.total)))


def _left_free(total: int) -> int:
    return min(5 * GB, total // 20)


def render_floor(total: int) -> int:
    """Bytes that a disk of ``total`` must have free for a job to be handed to a worker: 1 GB, or a
    hundredth of a disk that is smaller than 100 GB.

    A take of ten minutes has about a gigabyte, and the journal must find room beside it. A fifth of
    what uploads leave free: so these alone never keep jobs from being rendered.
    """
    return _left_free(total) // 5


def missing(folder: Path) -> int:
    """Bytes that the disk of ``folder`` lacks for a job to be rendered; OSError as the disk has."""
    disk = shutil.disk_usage(folder)
    return max(0, render_floor(disk.total) - disk.free)


def check_room(folder: Path) -> None:
    """RecamError ``server_disk`` where there is too little; its sentence tells what to do."""
    try:
        disk = shutil.disk_usage(folder)
    except OSError as error:
        raise disk_error(error) from None
    if disk.free < (floor := render_floor(disk.total)):
        raise RecamError(
            "server_disk",
            f"The server's disk has {size(disk.free)} free; jobs wait until it has {size(floor)}. "
            "Make room there: they go on by themselves.",
        )
