"""Reading and writing 720p video, apart and together."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from inference_server.video.reader import Reader
from inference_server.video.writer import Writer

from .clips import BUNNY, RATE
from .figures import Figure

TWICE = 2  # through the clip's 132 frames


def run() -> list[Figure]:
    """Frames a second of Big Buck Bunny: decoded to RGB, encoded from RGB, and both in a row."""
    clip = Reader(BUNNY)
    frames = list(clip)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.mp4"

        def write(source) -> int:
            with Writer(out, clip.width, clip.height, RATE) as writer:
                for _ in range(TWICE):
                    for frame in source:
                        writer.write(frame)
            return writer.frames

        return [
            Figure(
                "read 720p", _rate(lambda: sum(1 for _ in range(TWICE) for _ in clip)), "frames/s"
            ),
            Figure("write 720p", _rate(lambda: write(frames)), "frames/s"),
            Figure("read and write 720p", _rate(lambda: write(clip)), "frames/s"),
        ]


def _rate(work) -> float:
    began = time.perf_counter()
    count = work()
    return count / (time.perf_counter() - began)
