"""Triangles as a camera sees them: one over depth, pixel by pixel. No Blender: numpy alone.

In homogeneous coordinates (Olano and Greer, Triangle scan conversion using 2D homogeneous
coordinates, 1997): the ray d of a pixel is ``b0 v0 + b1 v1 + b2 v2`` of a triangle's corners, it
meets the triangle where no b is negative, and one over its depth there is their sum. All of it
is linear across the picture, so that depth is exact, and nothing needs to be cut off at the
camera.
"""

from __future__ import annotations

import numpy as np

NEAR = 1e-3  # metres; what is nearer only makes a triangle's box smaller
SMALL = 16  # pixels: boxes up to this size are worked on many at a time
AT_ONCE = 1 << 20  # pixels
EDGE = -1e-7  # of the sum: neighbours leave no gap


def nearness(triangles: np.ndarray, lens: np.ndarray, width: int, height: int) -> np.ndarray:
    """``(height, width)`` float32, one over metres of the nearest triangle; 0 where there is none.

    triangles: ``(T, 3, 3)`` float64, corners in camera axes (x right, y down, z forward), metres.
    lens: ``(4,)``. Depth is that in the middle of each pixel.
    """
    picture = np.zeros((height, width), np.float32)
    triangles = triangles[(triangles[:, :, 2] > NEAR).any(axis=1)]
    volume = np.linalg.det(triangles)
    size = np.linalg.norm(triangles, axis=2).prod(axis=1)
    triangles = triangles[np.abs(volume) > 1e-12 * size]  # the others are seen edge on
    boxes = _boxes(triangles, lens, width, height)
    seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    triangles, boxes = triangles[seen], boxes[seen]
    # Rows: the three b, columns: what they gain per pixel in x and y, and their value at (0, 0).
    fx, fy, cx, cy = lens
    ray = np.array(
        [
            [1 / (fx * width), 0, (0.5 / width - cx) / fx],
            [0, 1 / (fy * height), (0.5 / height - cy) / fy],
            [0, 0, 1],
        ]
    )
    weights = np.linalg.inv(np.swapaxes(triangles, 1, 2)) @ ray
    span = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    for index in np.flatnonzero(span > SMALL):
        _one(picture, weights[index], boxes[index])
    side = 1
    while side <= SMALL:
        group = np.flatnonzero((span <= side) & (span > side // 2))
        count = AT_ONCE // (side * side)
        for start in range(0, len(group), count):
            chosen = group[start : start + count]
            _many(picture, weights[chosen], boxes[chosen], side)
        side *= 2
    return picture


def _boxes(triangles, lens, width, height) -> np.ndarray:
    """``(T, 4)`` int: left, top, right, bottom of the pixels whose middle may be covered."""
    fx, fy, cx, cy = lens
    low, high = np.full((len(triangles), 2), np.inf), np.full((len(triangles), 2), -np.inf)

    def include(points: np.ndarray, there: np.ndarray) -> None:
        z = np.where(there, points[:, 2], 1.0)
        for axis, (f, c, size) in enumerate(((fx, cx, width), (fy, cy, height))):
            at = (c + f * points[:, axis] / z) * size - 0.5
            low[:, axis] = np.where(there, np.minimum(low[:, axis], at), low[:, axis])
            high[:, axis] = np.where(there, np.maximum(high[:, axis], at), high[:, axis])

    for corner in range(3):
        here, there = triangles[:, corner], triangles[:, (corner + 1) % 3]
        include(here, here[:, 2] > NEAR)
        crosses = (here[:, 2] > NEAR) != (there[:, 2] > NEAR)
        step = np.where(crosses, there[:, 2] - here[:, 2], 1.0)
        include(here + ((NEAR - here[:, 2]) / step)[:, None] * (there - here), crosses)
    limit = (width, height)
    first = np.clip(np.ceil(low - 1e-6), 0, limit)
    last = np.clip(np.floor(high + 1e-6) + 1, 0, limit)
    return np.concatenate([first, last], axis=1).astype(int)


def _one(picture: np.ndarray, weights: np.ndarray, box: np.ndarray) -> None:
    left, top, right, bottom = box
    x, y = np.arange(left, right), np.arange(top, bottom)[:, None]
    b = [gain[0] * x + (gain[1] * y + gain[2]) for gain in weights]
    near = b[0] + b[1] + b[2]
    least = np.minimum(np.minimum(b[0], b[1]), b[2])
    part = picture[top:bottom, left:right]
    np.maximum(part, np.where(least >= EDGE * near, near, 0), out=part)


def _many(picture: np.ndarray, weights: np.ndarray, boxes: np.ndarray, side: int) -> None:
    steps = np.arange(side)
    x = (boxes[:, 0, None, None] + steps) + np.zeros((1, side, 1), int)
    y = (boxes[:, 1, None, None] + steps[:, None]) + np.zeros((1, 1, side), int)
    b = [
        weights[:, i, 0, None, None] * x
        + weights[:, i, 1, None, None] * y
        + weights[:, i, 2, None, None]
        for i in range(3)
    ]
    near = b[0] + b[1] + b[2]
    least = np.minimum(np.minimum(b[0], b[1]), b[2])
    inside = (x < boxes[:, 2, None, None]) & (y < boxes[:, 3, None, None])
    hit = inside & (least >= EDGE * near)
    places = y[hit] * picture.shape[1] + x[hit]
    np.maximum.at(picture.reshape(-1), places, near[hit].astype(np.float32))
