"""Room on the disk for what jobs at work write."""

from __future__ import annotations

import shutil
from pathlib import Path

from shared.errors import RecamError

from ..limits import render_floor, size
from .store import disk_error


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
