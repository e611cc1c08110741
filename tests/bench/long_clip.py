"""A clip of so many frames through the ReCamMaster engine, miniature weights; what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from inference_server.cli.verify import MINIATURE
from inference_server.engines.recammaster.engine import ReCamMasterEngine
from inference_server.engines.recammaster.settings import Settings
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Trajectory

SIDE = 64


class Noise:
    """A clip that is made while it is read."""

    width = height = SIDE
    rate = Fraction(25)

    def __init__(self, frames: int) -> None:
        self.frames = frames

    def __iter__(self):
        random = np.random.default_rng(0)
        for _ in range(self.frames):
            yield random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def main(frames: int) -> None:
    """Print seconds a latent and the most memory there was, as JSON."""
    lens = lens_from_focal(35.0, 36.0, 1)
    path = make_move("arc_right", frames, Noise.rate, lens)
    source = Trajectory.standing(path.poses[0], lens, Noise.rate, frames)
    settings = Settings.of({"steps": 2, "cuts": "ignore", "tiling": "none"})
    engine = ReCamMasterEngine(Path(MINIATURE), "cpu")

    def take(count: int) -> int:
        shot = (
            Noise(count),
            *(Trajectory(t.poses[:count], t.lenses[:count], t.rate) for t in (source, path)),
        )
        return sum(1 for _ in next(engine.takes(*shot, settings)).frames)

    take(81)  # loading and probing do not count
    start = time.perf_counter()
    made = take(frames)
    seconds = time.perf_counter() - start
    assert made == frames
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds / (frames / 4), "bytes": peak}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
