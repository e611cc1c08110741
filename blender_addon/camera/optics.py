"""Recam's lenses as Blender's: millimetres and shifts. No Blender: numbers alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..shared.cameras.lens import crop


@dataclass(frozen=True)
class Frame:
    """A render frame: size in pixels, and the proportions of a pixel, as the scene has them."""

    size: tuple[int, int]
    pixel_aspect: tuple[float, float] = (1.0, 1.0)

    @property
    def tall(self) -> float:
        """How tall a pixel is for its width."""
        return self.pixel_aspect[1] / self.pixel_aspect[0]


def lenses_of_frame(lenses: np.ndarray, part: tuple[float, float, float, float]) -> np.ndarray:
    """Lenses ``(F, 4)`` of the whole frame, from those of a part of it.

    part: (left, top, width, height) in fractions of the frame.
    """
    left, top, width, height = part
    return crop(lenses, -left / width, -top / height, 1 / width, 1 / height)


def fitting(lens: np.ndarray, frame: Frame) -> Frame:
    """The frame with the pixels that a lens ``(4,)`` of it needs; nearly always its own."""
    width, height = frame.size
    tall = float(lens[0] * width / (lens[1] * height))
    if abs(tall / frame.tall - 1) < 1e-4:
        return frame
    return Frame(frame.size, (1.0, tall) if tall >= 1 else (1 / tall, 1.0))


def blender_lenses(
    lenses: np.ndarray, frame: Frame, fit: str, sensor: tuple[float, float]
) -> np.ndarray:
    """``(F, 3)``: focal length in mm, shift_x, shift_y, for lenses ``(F, 4)`` of the frame.

    fit: the camera's ``sensor_fit``. sensor: its width and height in mm.
    """
    width, height = frame.size[0], frame.size[1] * frame.tall
    upright = fit == "VERTICAL" or (fit == "AUTO" and width < height)
    measure = height if upright else width  # the side that focal length and shifts refer to
    millimetres = sensor[1] if fit == "VERTICAL" else sensor[0]
    return np.stack(
        [
            lenses[:, 0] * millimetres * width / measure,
            (0.5 - lenses[:, 2]) * width / measure,
            (lenses[:, 3] - 0.5) * height / measure,
        ],
        axis=-1,
    )
