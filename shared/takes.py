"""How the files of a job's takes are called, on the server as at the artist's."""

from __future__ import annotations

from pathlib import Path

MOST_TAKES = 16


def take_path(out: Path, take: int) -> Path:
    """Where take 0, 1, 2 … of a job goes whose result is ``out``: x.mp4, x-2.mp4, x-3.mp4 …"""
    return out if take == 0 else out.with_name(f"{out.stem}-{take + 1}{out.suffix}")
