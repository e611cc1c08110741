"""Filling what the source camera never saw: a calm, blurred continuation."""

from __future__ import annotations

import cv2
import numpy as np

from .sight import Sight, margin

CELL = 4  # target pixels per pixel of the fill's finest level


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
    saw anything. Colours are weighted, so that unseen pixels never darken them.
    """
    height, width = seen.shape
    size = (-(-width // CELL), -(-height // CELL))
    mask = seen.astype(np.uint8) * 255
    colour = cv2.resize(
        cv2.bitwise_and(picture, picture, mask=mask), size, interpolation=cv2.INTER_AREA
    )
    cover = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    level = np.dstack([colour.astype(np.float32), cover])
    if weight is not None:
        level *= cv2.resize(weight, size, interpolation=cv2.INTER_AREA)[..., None]
    levels = [level]
    while min(levels[-1].shape[:2]) > 2:
        levels.append(cv2.pyrDown(levels[-1]))
    last = levels[-1].mean(axis=(0, 1))
    result = np.empty_like(levels[-1][..., :3])
    result[:] = (last[:3] + 1e-6 * np.asarray(average)) / (last[3] + 1e-6)
    for level in reversed(levels):
        result = (
            cv2.pyrUp(result, dstsize=level.shape[1::-1]) if level is not levels[-1] else result
        )
        sum_, share = level[..., :3], level[..., 3:]
        # Twice, because a straight seam covers half of the pixels beside it.
        trust = np.minimum(2 * share, 1)
        result = result + trust * (sum_ / np.maximum(share, 1e-6) - result)
    result = np.clip(np.rint(result), 0, 255).astype(np.uint8)
    return cv2.resize(result, (width, height), interpolation=cv2.INTER_CUBIC)


def composite(picture, sight: Sight, outside, seen, frame) -> np.ndarray:
    """``(h, w, 3)`` uint8: ``picture`` where the source saw it, softly its continuation elsewhere.

    picture: ``(h, w, 3)`` uint8, ``frame`` sampled along ``sight``, mirrored at its edges, which
    hides the seam there; outside: ``sight.outside``; seen: ``(h, w)`` bool.
    """
    if seen.all():
        return picture
    weight = None
    if sight.nearness is not None:
        # What comes into view behind a thing belongs to what is far.
        weight = (np.maximum(sight.nearness, 1e-4) / 1e-4) ** -2
    average = cv2.mean(frame)[:3]
    filled = continuation(picture, seen, weight, average)
    share = fade(outside, margin(frame.shape[1])) * sight.hit
    return cv2.blendLinear(picture, filled, share, 1 - share)
