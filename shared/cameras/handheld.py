"""A camera held by hand: smooth noise in place and direction that never drifts away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .pose import pose, rotation_about

SLOWEST = 0.2  # times a second: slower than this is a drift
WAVES = 12
FADE_SECONDS = 0.5
# Of x, y, z: a hand holds its distance better than its height, and rolls less than it turns.
PLACE, DIRECTION = (1.0, 1.0, 0.5), (1.0, 1.0, 0.5)


def handheld(
    metres: float, degrees: float, quickest: float, seed: int
) -> Callable[[float], np.ndarray]:
    """Pose ``(4, 4)`` at a time in seconds, seen from the camera that is held.

    metres, degrees: the standard deviations of place and direction. quickest: the highest
    frequency there is, in hertz; the lowest is ``SLOWEST``. seed: which noise.

    A sum of sine waves, the slower the larger (a hand's sway), faded in over half a second, so
    that at 0 the camera stands exactly where it is held.
    """
    rng = np.random.default_rng(seed)
    # One frequency from each of as many bands, so that no two waves beat against one another.
    parts = (np.arange(WAVES) + rng.uniform(0, 1, (6, WAVES))) / WAVES
    hertz = SLOWEST * (quickest / SLOWEST) ** parts
    phases = rng.uniform(0, 2 * np.pi, (6, WAVES))
    # A wave of height a has the standard deviation a / sqrt(2).
    heights = 1 / hertz
    heights *= np.sqrt(2 / np.sum(heights**2, axis=1, keepdims=True))
    sizes = np.array([*np.multiply(PLACE, metres), *np.multiply(DIRECTION, np.radians(degrees))])

    def at(seconds: float) -> np.ndarray:
        share = min(seconds / FADE_SECONDS, 1.0)
        fade = share * share * (3 - 2 * share)
        noise = fade * sizes * np.sum(heights * np.sin(2 * np.pi * hertz * seconds + phases), 1)
        return pose(rotation_about(noise[3:]), noise[:3])

    return at
