"""Projection onto the surface that a depth map gives.

Backwards, so that every target pixel is sampled once and well: the depth map is first thrown
roughly into the target camera, which tells each pixel which surfaces its ray may meet; from
there the exact meeting is solved for on the source picture. The cost does not depend on how
far things move, as it would if every ray were marched.

Along the ray of target pixel p, with ``X_s = R X_t + t`` and n one over the target depth, the
source sees ``a + n b``, ``a = K_s R inv(K_t) p``, ``b = K_s t``, at the nearness
``n / (a + n b)_z``; on a surface with the nearness d there, ``n = d a_z / (1 - d b_z)``.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from shared.cameras import lens as lenses
from shared.cameras import pose as poses

from .sight import Sight, box, margin

# Neighbours in a depth map whose depths differ by more than this share belong to two things,
# if the cameras also see them more than this many source pixels apart.
JUMP = 0.05
TORN = 1.5
# A meeting counts when surface and ray agree to this many source pixels.
AGREE = 2.0
# Rows worked on at a time: few enough to stay in the processor's cache.
STRIP = 16
BEYOND = {"borderMode": cv2.BORDER_REPLICATE}


class _Rays(NamedTuple):
    """The target's rays as the source sees them; planes of ``a`` and the vector ``b``."""

    ax: np.ndarray
    ay: np.ndarray
    az: np.ndarray
    b: np.ndarray


class _Surface(NamedTuple):
    """A source nearness map with a rim of ``rim`` pixels around, and its jumps."""

    nearness: np.ndarray
    jump: np.ndarray
    rim: int


def sight(
    nearness: np.ndarray,
    source_pose: np.ndarray,
    source_lens: np.ndarray,
    target_pose: np.ndarray,
    target_lens: np.ndarray,
) -> Sight:
    """The Sight of a target camera on the surface that the source camera sees.

    nearness: ``(h, w)`` float32, one over metres, NaN where unknown; poses ``(4, 4)``, lenses
    ``(4,)``.
    """
    height, width = nearness.shape
    rim = margin(width) + 1
    surface = _surface(nearness, rim)
    relative = poses.relative(source_pose, target_pose)
    source = lenses.matrix(source_lens, width, height)
    source[:2, 2] += rim - 0.5  # so that places are indices into the surface's maps
    turn = source @ relative[:3, :3] @ np.linalg.inv(lenses.matrix(target_lens, width, height))
    shift = source @ relative[:3, 3]
    near, far = _guesses(surface, turn, shift, (height, width))
    n, x, y = (np.zeros((height, width), np.float32) for _ in range(3))
    hit = np.zeros((height, width), bool)
    u, v = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    rows, columns = box(np.isfinite(near))
    for top in range(rows.start or 0, rows.stop, STRIP):
        strip = np.s_[top : min(top + STRIP, rows.stop), columns]
        rays = _rays(turn, shift, u[columns], v[strip[0]])
        found = n[strip], x[strip], y[strip], hit[strip] = _meet(near[strip], rays, surface)
        again = ~found[3] & (far[strip] < near[strip])
        if again.any():
            some = _Rays(*(plane[again][None] for plane in rays[:3]), rays.b)
            found = _meet(far[strip][again][None], some, surface)
            for whole, part in zip((n, x, y, hit), found, strict=True):
                whole[strip][again] = part[0]
    x = np.clip(np.nan_to_num(x - rim), -rim, width - 1 + rim)
    y = np.clip(np.nan_to_num(y - rim), -rim, height - 1 + rim)
    return Sight(x, y, hit, np.where(hit, n, 0))


def _surface(nearness: np.ndarray, rim: int) -> _Surface:
    known = np.isfinite(nearness)
    nearness = np.where(known, nearness, np.float32(0))
    cell = np.ones((2, 2), np.uint8)
    most = cv2.dilate(nearness, cell, anchor=(0, 0))
    jump = most - cv2.erode(nearness, cell, anchor=(0, 0))
    jump[jump <= JUMP * most] = 0
    if not known.all():
        jump[cv2.dilate((~known).astype(np.uint8), cell, anchor=(0, 0)) > 0] = np.inf
    widen = (rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    return _Surface(cv2.copyMakeBorder(nearness, *widen), cv2.copyMakeBorder(jump, *widen), rim)


def _rays(turn: np.ndarray, shift: np.ndarray, u: np.ndarray, v: np.ndarray) -> _Rays:
    u, v, turn = u.astype(np.float32), v.astype(np.float32), turn.astype(np.float32)
    return _Rays(*(row[0] * u + (row[1] * v + row[2]) for row in turn), shift.astype(np.float32))


def _guesses(surface: _Surface, turn, shift, shape) -> tuple[np.ndarray, np.ndarray]:
    """For every target pixel the nearest and the farthest surface that may lie there.

    ``shape`` float32 each, one over target depth; NaN where nothing is. From a quarter of the
    source's pixels, thrown into cells that are large enough to leave no gap in a surface.
    """
    height, width = shape
    block = np.ones((2, 2), np.uint8)
    usable = np.isfinite(surface.jump)
    nearest = cv2.dilate(surface.nearness, block, anchor=(0, 0))[::2, ::2]
    farthest = cv2.erode(
        np.where(usable, surface.nearness, np.float32(np.inf)), block, anchor=(0, 0)
    )[::2, ::2]
    rows, columns = nearest.shape
    back = np.linalg.inv(turn)
    middle = np.arange(max(rows, columns)) * 2 + 0.5
    s = _rays(back, -back @ shift, middle[:columns], middle[:rows, None])
    u, v, n, good = _throw(nearest, s)
    # Seen from behind, a face is mirrored.
    mirrored = np.diff(u, axis=1)[:-1] * np.diff(v, axis=0)[:, :-1]
    mirrored = mirrored < np.diff(u, axis=0)[:, :-1] * np.diff(v, axis=1)[:-1]
    good[:-1, :-1] &= ~mirrored
    step = np.hypot(np.diff(u, axis=1)[:-1], np.diff(v, axis=0)[:, :-1])
    seen = good & (u > 0) & (v > 0) & (u < width) & (v < height)
    step = step[seen[:-1, :-1]]
    if not step.size:
        nothing = np.full(shape, np.nan, np.float32)
        return nothing, nothing
    cell = int(np.clip(np.ceil(1.7 * np.percentile(step[::7], 90)), 4, 64))
    size = (-(-height // cell) + 2, -(-width // cell) + 2)
    near = np.full(size, -1, np.float32)
    _put(np.maximum, near, u, v, n, good, cell)
    u, v, n, ahead = _throw(np.where(np.isfinite(farthest), farthest, 0), s)
    good &= ahead & np.isfinite(farthest)
    far = np.full(size, np.inf, np.float32)
    _put(np.minimum, far, u, v, n, good, cell)
    around = np.ones((3, 3), np.uint8)
    near, far = cv2.dilate(near, around), cv2.erode(far, around)
    near[near < 0] = np.nan
    far[np.isinf(far)] = np.nan
    inner = np.s_[cell : cell + height, cell : cell + width]
    return tuple(cv2.resize(m, None, fx=cell, fy=cell, interpolation=0)[inner] for m in (near, far))


def _throw(nearness: np.ndarray, s: _Rays) -> tuple[np.ndarray, ...]:
    """Source pixels in the target: place u, v, one over depth, and whether they lie ahead."""
    z = s.az + nearness * s.b[2]
    good = z > 1e-6
    z = np.where(good, z, np.float32(1))
    u, v = (s.ax + nearness * s.b[0]) / z, (s.ay + nearness * s.b[1]) / z
    return u, v, nearness / z, good


def _put(choose, cells, u, v, n, good, cell) -> None:
    rows, columns = cells.shape
    column = np.floor(u * np.float32(1 / cell)) + 1
    row = np.floor(v * np.float32(1 / cell)) + 1
    good = good & (row >= 0) & (column >= 0) & (row < rows) & (column < columns)
    index = row[good].astype(np.int32) * columns + column[good].astype(np.int32)
    choose.at(cells.reshape(-1), index, n[good])


def _meet(n: np.ndarray, rays: _Rays, surface: _Surface) -> tuple[np.ndarray, ...]:
    """Where rays meet the surface, from a guess: ``n, x, y, hit``. One secant step."""
    with np.errstate(all="ignore"):  # rays that meet nothing run through infinity
        second = _on_surface(n, rays, surface)[0]
        third = _on_surface(second, rays, surface)[0]
        miss = third - second
        step = miss * (second - n) / (second - n - miss)
        n = np.where(np.abs(step) <= 10 * np.abs(miss), second + step, third)
        onto, x, y, z, slope = _on_surface(n, rays, surface)
        _, _, _, (bx, by, bz) = rays
        speed = np.maximum(np.abs(bx - x * bz), np.abs(by - y * bz)) / z
        jump = cv2.remap(surface.jump, np.floor(x), np.floor(y), cv2.INTER_NEAREST, **BEYOND)
        tear = jump * speed * rays.az / (slope * slope)
        hit = (np.abs(onto - n) * speed <= AGREE) & (np.abs(tear) <= TORN) & (z > 0) & (n >= 0)
    return n, x, y, hit


def _on_surface(n: np.ndarray, rays: _Rays, surface: _Surface) -> tuple[np.ndarray, ...]:
    """The n of the surface at the place that the ray shows at n; then that place, the z of both
    in the source camera over the target's, and ``1 - d b_z``."""
    ax, ay, az, (bx, by, bz) = rays
    z = n * bz + az
    x, y = (n * bx + ax) / z, (n * by + ay) / z
    d = cv2.remap(surface.nearness, x, y, cv2.INTER_LINEAR, **BEYOND)
    slope = 1 - d * bz
    return d * az / slope, x, y, z, slope
