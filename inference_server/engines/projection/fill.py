"""Filling what the source camera never saw: a calm, blurred continuation."""

from __future__ import annotations

import cv2
import numpy as np

CELL = 4  # target pixels per pixel of the fill's finest level
TINY = 1e-9
# A straight seam covers half of the pixels beside it; more spreads the colours at it further.
TRUST = 4


def fade(outside: np.ndarray, width: float) -> np.ndarray:
    """``(h, w)`` float32: 1 inside the picture, smoothly down to 0 ``width`` pixels outside it."""
    t = np.clip(1 - outside / np.float32(width), 0, 1)
    return t * t * (3 - 2 * t)


def continuation(picture: np.ndarray, seen: np.ndarray, weight, average) -> np.ndarray:
    """``(h, w, 3)`` uint8: the seen pixels of ``picture``, spread out smoothly over everything.

    picture: ``(h, w, 3)`` uint8; seen: ``(h, w)`` bool; weight: ``(h, w)`` float32 above 0, how
    much a seen pixel counts, or None for all alike; average: ``(3,)``, shown if nothing is seen.

    Push-pull (Gortler et al., The Lumigraph, 1996): averages of the seen pixels over ever larger
    neighbourhoods, then from coarse to fine each level is laid over the one below as far as it
    saw anything. Colours are weighted, so that unseen pixels never darken them, and what counts
    little beside its wider neighbourhood yields to it.
    """
    height, width = seen.shape
    size = (-(-width // CELL), -(-height // CELL))
    mask = seen.astype(np.uint8) * 255
    colour = _shrink(cv2.bitwise_and(picture, picture, mask=mask), size).astype(np.float32)
    cover = _shrink(mask, size).astype(np.float32) / 255
    worth = np.ones_like(cover)
    if weight is not None:
        worth = _shrink(weight * seen, size) / np.maximum(cover, TINY)
    # Colour times worth, cover times worth, and cover, which averages keep apart.
    level = np.dstack([colour * worth[..., None], cover * worth, cover])
    levels = [level]
    while min(level.shape[:2]) > 2:
        level = cv2.pyrDown(level)
        levels.append(level)
    colours, amount, cover = np.split(level.mean(axis=(0, 1)), (3, 4))
    below = np.concatenate([(colours + TINY * average) / (amount + TINY), amount / (cover + TINY)])
    result = np.broadcast_to(below, (*level.shape[:2], 4)).astype(np.float32)
    for level in reversed(levels):
        if result.shape[:2] != level.shape[:2]:
            result = cv2.pyrUp(result, dstsize=level.shape[1::-1])
        amount, cover = level[..., 3:4], level[..., 4:]
        worth = amount / np.maximum(cover, TINY)
        trust = np.minimum(TRUST * cover * np.minimum(worth / (result[..., 3:] + TINY), 1), 1)
        here = np.concatenate([level[..., :3] / np.maximum(amount, TINY), worth], axis=2)
        result += trust * (here - result)
    result = np.clip(np.rint(result[..., :3]), 0, 255).astype(np.uint8)
    return cv2.resize(result, (width, height), interpolation=cv2.INTER_CUBIC)


def _shrink(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def composite(picture, share, seen, nearness, frame) -> np.ndarray:
    """``(h, w, 3)`` uint8: ``picture`` where the source saw it, softly its continuation elsewhere.

    picture: ``(h, w, 3)`` uint8, mirrored at the source's edge, which hides the seam there;
    share: ``(h, w)`` float32, how much of it to show; seen: ``(h, w)`` bool; nearness: ``(h, w)``
    float32, one over depth, or None; frame: the source's, for its colour if nothing is seen.
    """
    weight = None
    if nearness is not None:
        # What comes into view behind a thing belongs to what is far; beyond 1 km all is alike.
        nearness = np.maximum(nearness, np.float32(1e-3))
        weight = np.square(np.square(nearness.min(where=seen, initial=1) / nearness))
    filled = continuation(picture, seen, weight, np.array(cv2.mean(frame)[:3]))
    return cv2.blendLinear(picture, filled, share, 1 - share)
