"""Clips to measure with: Big Buck Bunny's frames, to and fro, at any size and length."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from inference_server.video.reader import Reader
from inference_server.video.writer import Writer

BUNNY = Path(__file__).parents[1] / "clips" / "bigbuckbunny.mp4"
RATE = Fraction(24)


def pictures(width: int, height: int, most: int = 120) -> list[np.ndarray]:
    """The first ``most`` frames, scaled to ``(height, width, 3)`` uint8."""
    clip = Reader(BUNNY, 0, most)
    return [cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA) for frame in clip]


def to_and_fro(frames: list[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """``count`` frames without a cut: forwards, backwards, forwards …"""
    turn = 2 * len(frames) - 2
    for number in range(count):
        place = number % turn
        yield frames[min(place, turn - place)]


def write_clip(path: Path, width: int, height: int, seconds: float, grain: float = 0) -> Path:
    """A clip of that size and length at 24 frames a second.

    grain: its standard deviation, of 255. Grain makes a large file of a small picture.
    """
    frames = pictures(width, height)
    if grain:
        noise = np.random.default_rng(0).normal(0, grain, (len(frames), height, width, 1))
        frames = [
            np.clip(frame + one, 0, 255).astype(np.uint8)
            for frame, one in zip(frames, noise, strict=True)
        ]
    with Writer(path, width, height, RATE) as writer:
        for frame in to_and_fro(frames, round(seconds * RATE)):
            writer.write(frame)
    return path
