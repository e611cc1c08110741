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

from .guess import guesses
from .relief import Rays, Relief, rays_of, relief_of
from .sight import Sight, box, margin

# A jump in depth parts two things if the cameras see it more than this many source pixels wide.
TORN = 1.5
# A meeting counts when surface and ray agree to this many source pixels.
AGREE = 2.0
# Rows and pixels worked on at a time: few enough to stay in the processor's cache.
STRIP = 16
MOST_AT_ONCE = 16000
# Steps from the nearest to the farthest surface that a ray may meet, and halvings of one step.
STEPS = 12
HALVINGS = 8
# Source pixels between a guess and the meeting that is taken to be the guessed one.
CLOSE = 12.0
BEYOND = {"borderMode": cv2.BORDER_REPLICATE}


class _Meeting(NamedTuple):
    """One over target depth, the place in the surface's maps, whether the surface is there, and
    how far the place moves with n."""

    n: np.ndarray
    x: np.ndarray
    y: np.ndarray
    hit: np.ndarray
    speed: np.ndarray


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
    relief = relief_of(nearness, rim)
    relative = poses.relative(source_pose, target_pose)
    source = lenses.matrix(source_lens, width, height)
    source[:2, 2] += rim - 0.5  # so that places are indices into the surface's maps
    turn = source @ relative[:3, :3] @ np.linalg.inv(lenses.matrix(target_lens, width, height))
    shift = source @ relative[:3, 3]
    near, far = guesses(relief, turn, shift, (height, width))
    n, x, y = (np.zeros((height, width), np.float32) for _ in range(3))
    hit = np.zeros((height, width), bool)
    u, v = np.arange(width) + 0.5, np.arange(height)[:, None] + 0.5
    rows, columns = box(np.isfinite(near))
    with np.errstate(all="ignore"):  # rays that meet nothing run through infinity
        for top in range(rows.start or 0, rows.stop, STRIP):
            strip = np.s_[top : min(top + STRIP, rows.stop), columns]
            rays = rays_of(turn, shift, u[columns], v[strip[0]])
            n[strip], x[strip], y[strip], hit[strip], _ = _meet(near[strip], rays, relief)
        again = np.flatnonzero(~hit & (far < near))
        for start in range(0, again.size, MOST_AT_ONCE):
            row, column = np.divmod(again[None, start : start + MOST_AT_ONCE], width)
            rays = rays_of(turn, shift, u[column], v[row, 0])
            found = _search(near[row, column], far[row, column], rays, relief)
            n[row, column], x[row, column], y[row, column], hit[row, column], _ = found
    # fmin and fmax, unlike clip, leave no NaN.
    x = np.fmax(np.fmin(x - rim, width - 1 + rim), -rim)
    y = np.fmax(np.fmin(y - rim, height - 1 + rim), -rim)
    return Sight(x, y, hit, np.where(hit, n, 0))


def _meet(n: np.ndarray, rays: Rays, relief: Relief) -> _Meeting:
    """Where rays meet the surface, by one secant step from a guess."""
    second = _on_surface(n, rays, relief)[0]
    miss = _on_surface(second, rays, relief)[0] - second
    step = miss * (second - n) / (second - n - miss)
    step = np.where(np.abs(step) <= 10 * np.abs(miss), step, miss)
    found = _check(second + step, rays, relief)
    # A meeting far from the guess may not be the first along the ray.
    close = np.abs(second + step - n) * found.speed <= CLOSE
    return found._replace(hit=found.hit & close)


def _search(near: np.ndarray, far: np.ndarray, rays: Rays, relief: Relief) -> _Meeting:
    """As ``_meet``, by marching from near to far: the first meeting that counts, of the first
    and the last place where the ray goes behind the surface."""
    near, far = near * np.float32(1.02), far * np.float32(0.98)
    side = np.sign(rays.az)
    nothing = np.full_like(near, np.nan)
    first, last = [nothing, nothing], [nothing, nothing]
    n, was_before = near, np.zeros(near.shape, bool)
    for share in np.linspace(0, 1, STEPS + 1, dtype=np.float32):
        above, n = n, near + share * (far - near)
        before = (n - _on_surface(n, rays, relief)[0]) * side > 0
        last = [
            np.where(was_before & ~before, *pair) for pair in zip((above, n), last, strict=True)
        ]
        fresh = np.isnan(first[0])
        first = [np.where(fresh, *pair) for pair in zip(last, first, strict=True)]
        was_before = before
    found = _check(_halve(*first, side, rays, relief), rays, relief)
    other = _check(_halve(*last, side, rays, relief), rays, relief)
    return _Meeting(*(np.where(found.hit, *pair) for pair in zip(found, other, strict=True)))


def _halve(above, below, side, rays: Rays, relief: Relief) -> np.ndarray:
    """The n between above and below where the ray goes behind the surface, by bisection."""
    for _ in range(HALVINGS):
        middle = (above + below) / 2
        before = (middle - _on_surface(middle, rays, relief)[0]) * side > 0
        above, below = np.where(before, middle, above), np.where(before, below, middle)
    return (above + below) / 2


def _check(n: np.ndarray, rays: Rays, relief: Relief) -> _Meeting:
    """What rays show at n, and whether they meet the surface there."""
    onto, x, y, z, slope = _on_surface(n, rays, relief)
    bx, by, bz = rays.b
    speed = np.maximum(np.abs(bx - x * bz), np.abs(by - y * bz)) / z
    jump = cv2.remap(relief.jump, np.floor(x), np.floor(y), cv2.INTER_NEAREST, **BEYOND)
    tear = jump * speed * rays.az / (slope * slope)
    hit = (np.abs(onto - n) * speed <= AGREE) & (np.abs(tear) <= TORN) & (z > 0) & (n >= 0)
    return _Meeting(n, x, y, hit, speed)


def _on_surface(n: np.ndarray, rays: Rays, relief: Relief) -> tuple[np.ndarray, ...]:
    """The n of the surface at the place that the ray shows at n; then that place, the z of both
    in the source camera over the target's, and ``1 - d b_z``."""
    ax, ay, az, (bx, by, bz) = rays
    z = n * bz + az
    x, y = (n * bx + ax) / z, (n * by + ay) / z
    d = cv2.remap(relief.nearness, x, y, cv2.INTER_LINEAR, **BEYOND)
    slope = 1 - d * bz
    return d * az / slope, x, y, z, slope
