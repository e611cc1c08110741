"""Whether the disk has the room that servers need: without it their clients wait."""

from __future__ import annotations

import shutil
import tempfile

GB = 10**9
TESTS_GB, BENCH_GB, STRESS_GB = 8, 10, 14  # what they write, beside the 5 GB that a server leaves


def room_missing(gigabytes: int) -> str:
    """In words: that the disk of temporary files has less than so many GB free; else nothing."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free / GB
    if free >= gigabytes:
        return ""
    return (
        f"{free:.1f} GB are free in {folder}, and {gigabytes} GB are needed: a server whose disk "
        "is nearly full lets its clients wait. Make room, or set TMPDIR to a folder with more."
    )
