"""What a projection would take: its work is megapixels, its pace the way that they go."""

from __future__ import annotations

from pathlib import Path

from ..base import Question, Reckoning


def reckon(releases: Path, question: Question) -> Reckoning:
    """See ``engines.estimate``."""
    work = megapixels(question.width, question.height, question.frames)
    return Reckoning(pace(question.depth), work, "server's processor")


def pace(depth: bool) -> str:
    """Depth makes a surface of every frame, which takes longer than a plane."""
    return "with depth" if depth else "on a plane"


def megapixels(width: int, height: int, frames: int) -> float:
    """Of all frames."""
    return width * height * frames / 1e6
