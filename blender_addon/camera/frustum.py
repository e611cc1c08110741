"""Where a clip's picture lies in a camera's view. No Blender: numbers alone.

Lengths are at the distance 1 in front of a camera whose lens is as long as its sensor is large;
at another distance, with another lens, they are ``distance * sensor / lens`` times as large.
"""

from __future__ import annotations

from dataclasses import dataclass

Fractions = tuple[float, float, float, float]  # left, top, width, height of the frame


@dataclass(frozen=True)
class Window:
    """A rectangle across the view: its size, and its middle off the view's own, y up.

    sensor: which of the camera's two sensor sizes, in Blender's words, the lens counts against.
    """

    width: float
    height: float
    x: float
    y: float
    sensor: str


def window_of(
    frame: tuple[int, int], pixel: tuple[float, float], sensor_fit: str, part: Fractions
) -> Window:
    """The Window of a part of the frame.

    frame: (width, height) in pixels; pixel: (width, height) of one; sensor_fit: Blender's word.
    """
    wide, high = frame[0] * pixel[0], frame[1] * pixel[1]
    across = sensor_fit == "HORIZONTAL" or (sensor_fit == "AUTO" and wide >= high)
    wide, high = (1.0, high / wide) if across else (wide / high, 1.0)
    left, top, width, height = part
    return Window(
        width * wide,
        height * high,
        (left + width / 2 - 0.5) * wide,
        (0.5 - top - height / 2) * high,
        "sensor_height" if sensor_fit == "VERTICAL" else "sensor_width",
    )
