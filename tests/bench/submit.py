"""`recam submit` of a 10 s 720p clip, beside the engine called in a fresh Python process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from .clips import write_clip
from .figures import Figure, middle
from .serving import RECAM, serving

CAMERA = "arc_right"

# What `recam submit` asks for, without a server: the same clip, shot, engine, and result.
DIRECTLY = """
import sys
from pathlib import Path
from inference_server.reshoot import reshoot
from inference_server.video.probe import probe
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Shot
clip, out, camera = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
info = probe(clip)
lens = lens_from_focal(35, 36, info.width / info.height)
shot = Shot(make_move(camera, info.frames, info.rate, lens), subject_distance=4.0)
reshoot([clip], shot, out, engine="projection")
"""


def run() -> list[Figure]:
    """Wall time of both, start of Python included, in turn; the server and its worker are up."""
    with serving() as server:
        clip = write_clip(server.folder / "clip.mp4", 1280, 720, 10)
        submitted, direct = [], []
        for number in range(2):
            # Other content each time, so that the clip is sent each time.
            with clip.open("ab") as file:
                file.write((16).to_bytes(4, "big") + b"free" + os.urandom(8))
            out = server.folder / f"{number}.mp4"
            direct.append(_seconds([sys.executable, "-c", DIRECTLY, clip, out, CAMERA]))
            out.unlink()
            options = ["--camera", CAMERA, "--engine", "projection", "-o", out]
            submitted.append(_seconds([*RECAM, "submit", clip, *options]))
    ratio = middle([through / alone for through, alone in zip(submitted, direct, strict=True)])
    return [
        Figure("recam submit, 10 s of 720p", middle(submitted), "s"),
        Figure("the engine called directly", middle(direct), "s"),
        Figure("recam submit / the engine called directly", ratio, "", most=1.3),
    ]


def _seconds(command: list[str | Path]) -> float:
    began = time.perf_counter()
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    return time.perf_counter() - began
