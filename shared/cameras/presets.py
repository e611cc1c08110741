"""Camera paths in closed form: the ten public presets, and a circle.

The ten are those that the public model was shown with, here as formulas of one parameter s.
In the public file s runs from 0 to 160/161 over 81 frames; here it does so over any number.
They assume a subject 4 metres away; for another distance the path is scaled with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..errors import RecamError
from .pose import look_at, pose, rotation_about, rotation_x, rotation_y

SUBJECT_DISTANCE = 4.0  # metres
LAST_PARAMETER = 160 / 161
LEVEL = (0.0, -1.0, 0.0)  # a camera's own up


def _arc(side: float) -> Callable[[float], np.ndarray]:
    """The straight chord of a 30 degree arc about the subject; side: +1 moves right."""
    inward = 4 - 4 * np.cos(np.radians(30))
    return lambda s: look_at((side * 2 * s, 0, inward * s), (0, 0, 4))


# Pose (4, 4) at parameter s in 0..1, seen from the first pose, with the subject at (0, 0, 4).
# The public numbers 1 to 10 are the places in this table.
PRESETS: dict[str, Callable[[float], np.ndarray]] = {
    "pan_right": lambda s: pose(rotation_y(np.radians(20 * s))),
    "pan_left": lambda s: pose(rotation_y(np.radians(-20 * s))),
    "tilt_up": lambda s: pose(rotation_x(np.radians(10 * s))),
    "tilt_down": lambda s: pose(rotation_x(np.radians(-10 * s))),
    "zoom_in": lambda s: pose(position=(0, 0, 2 * s)),
    "zoom_out": lambda s: pose(position=(0, 0, -2 * s)),
    "translate_up": lambda s: look_at((0, -s, 0), (0, 0, 4)),
    "translate_down": lambda s: look_at((0, s, 0), (0, 0, 4)),
    "arc_left": _arc(-1),
    "arc_right": _arc(+1),
}


def circle(degrees: float, up: np.ndarray = LEVEL) -> Callable[[float], np.ndarray]:
    """Pose ``(4, 4)`` at s in 0..1 of an orbit about the subject, seen from the first.

    up: ``(3,)``, the direction of the orbit's axis, of length 1.
    """
    subject = np.array([0, 0, SUBJECT_DISTANCE])

    def at(s: float) -> np.ndarray:
        turn = rotation_about(np.multiply(up, np.radians(degrees * s)))
        return pose(turn, subject - turn @ subject)

    return at


def word_of(name: str | int) -> str:
    """A move's name as people write it, or a preset's number 1 to 10, as the tables have it."""
    word = str(name).strip().lower().replace(" ", "_").replace("-", "_")
    return {str(number): key for number, key in enumerate(PRESETS, 1)}.get(word, word)


def distance_of(metres: float) -> float:
    """A subject's distance as a float; RecamError ``subject_distance`` if it is none."""
    if not (np.isfinite(metres) and metres > 0):
        raise RecamError(
            "subject_distance",
            f"{metres!r} metres is no distance to a subject.",
            "Give a number above 0.",
        )
    return float(metres)
