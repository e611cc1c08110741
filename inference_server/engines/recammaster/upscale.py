"""Filters from the model's size to the clip's, by name; a better one joins the table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels, not always whole
Upscaler = Callable[[np.ndarray, Box, tuple[int, int]], np.ndarray]


def resize(
    filter: Image.Resampling, frame: np.ndarray, box: Box, size: tuple[int, int]
) -> np.ndarray:
    """``(height, width, 3)`` uint8: the part ``box`` of ``frame``, in one step.

    frame: ``(h, w, 3)`` uint8; size: (width, height). A box of whole numbers and of the same
    size is copied exactly; where the part is made smaller, the filter widens with it.
    """
    return np.asarray(Image.fromarray(frame).resize(size, filter, box=box))


# By the names that the setting ``scale_up`` takes.
UPSCALERS: dict[str, Upscaler] = {
    "lanczos": partial(resize, Image.Resampling.LANCZOS),
    "cubic": partial(resize, Image.Resampling.BICUBIC),
    "linear": partial(resize, Image.Resampling.BILINEAR),
}
