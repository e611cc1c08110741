"""Which shortcuts a release bears: each tried against the exact take of the same clip and seed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from inference_server.engines.base import Clip
from shared.cameras.trajectory import Trajectory

from .engine import ReCamMasterEngine
from .settings import Settings
from .shortcuts import CANDIDATES, Shortcuts


@dataclass(frozen=True)
class Trial:
    """psnr: decibels, of all frames against the exact take's. seconds: for the whole take."""

    shortcuts: Shortcuts | None
    psnr: float
    seconds: float


def trials(
    engine: ReCamMasterEngine,
    clip: Clip,
    source_camera: Trajectory,
    trajectory: Trajectory,
    settings: Settings,
) -> Iterator[Trial]:
    """The exact take first (``shortcuts`` None, psnr inf), then each candidate as it is made.

    Of ``shortcuts.CANDIDATES``, one of more steps than ``settings`` has is passed over.
    """
    shot = clip, source_camera, trajectory

    def take(wanted: Settings, cache: float) -> tuple[np.ndarray, float]:
        start = time.perf_counter()
        rendering = next(engine.takes(*shot, wanted, cache))
        frames = np.stack(list(rendering.frames))
        return frames, time.perf_counter() - start

    take(settings, 0.0)  # what is loaded and probed first must not count
    exact, seconds = take(settings, 0.0)
    yield Trial(None, float("inf"), seconds)
    for shortcuts in CANDIDATES:
        if shortcuts.steps > settings.steps:
            continue
        frames, seconds = take(shortcuts.applied(settings), shortcuts.cache)
        yield Trial(shortcuts, psnr(frames, exact), seconds)


def best(done: list[Trial], least_psnr: float) -> Trial | None:
    """The quickest that is near enough to the exact take, and quicker; None if there is none."""
    exact, *rest = done
    good = [trial for trial in rest if trial.psnr >= least_psnr and trial.seconds < exact.seconds]
    return min(good, key=lambda trial: trial.seconds, default=None)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Decibels between uint8 pictures of one shape, over all values."""
    error = np.mean((a.astype(np.float32) - b.astype(np.float32)) ** 2, dtype=np.float64)
    return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))
