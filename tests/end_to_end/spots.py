"""Clips with one bright spot, and where it is in a picture."""

from __future__ import annotations

import numpy as np

SIZE = (320, 192)
FRAMES = 5


def spot(u, v):
    """A clip with one bright spot in grey, at ``u, v`` in pixels from the top left corner."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    bump = 0.2 + 0.7 * np.exp(-(((x + 0.5 - u) ** 2 + (y + 0.5 - v) ** 2) / 2 / 3.0**2))
    return np.repeat(bump[None, ..., None], 3, axis=-1).repeat(FRAMES, axis=0).astype(np.float32)


def centroid(picture):
    """Where the spot is in a picture ``(h, w, 3)``: x, y in pixels from the top left corner."""
    bright = np.where(picture[..., 1] > 0.4, picture[..., 1] - 0.4, 0)
    y, x = np.mgrid[0 : bright.shape[0], 0 : bright.shape[1]] + 0.5
    return (bright * x).sum() / bright.sum(), (bright * y).sum() / bright.sum()
