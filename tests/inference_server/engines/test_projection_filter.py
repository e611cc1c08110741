"""Seen from far or from the side, fine detail turns to grey and not to false patterns."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import STRAIGHT, as_picture, in_source, meet_plane, reshoot, wide

from inference_server.engines.projection import plane, sampling
from shared.cameras.pose import look_at, pose

SIZE = (320, 180)
LENS = wide(*SIZE)
FAR = {
    "1.6 times": (pose(position=(0, 0, -2.4)), 1.6),
    "3 times": (pose(position=(0, 0, -8)), 3),
    "8 times": (pose(position=(0, 0, -28)), 8),
    "from the side": (look_at((-3.6, 0, 2.0), (0, 0, 4)), 2.2),
}


def zone_plate(x, y):
    """Rings that grow finer outwards, up to 0.36 waves per source pixel at the side."""
    pixel = 4 / (LENS[0] * SIZE[0])
    edge = pixel * SIZE[0] / 2
    return 128 + 110 * np.cos(np.pi * 0.36 / (pixel * edge) * (x**2 + y**2))


@pytest.mark.parametrize(("move", "times"), FAR.values(), ids=FAR)
def test_a_zone_plate_seen_from_far_shows_no_false_rings(move, times):
    x, y, _ = meet_plane(STRAIGHT, LENS, *SIZE)
    source = as_picture(np.repeat(zone_plate(x, y)[..., None], 3, axis=2))
    frame, _ = reshoot(source, LENS, move)
    x, y, _ = meet_plane(move, LENS, *SIZE, samples=8)
    truth = zone_plate(x, y).reshape(SIZE[1], 8, SIZE[0], 8).mean(axis=(1, 3))
    point = zone_plate(*meet_plane(move, LENS, *SIZE)[:2])
    inside = in_source(move, LENS, *SIZE, rim=times * 2)
    assert inside.sum() > 500
    error = (frame[..., 0] - truth)[inside].std()
    naive = (point - truth)[inside].std()
    assert error < 0.45 * naive
    # Nor is it blurred more than need be: most of the true energy is still there.
    assert (frame[..., 0][inside]).std() > 0.6 * truth[inside].std()


def test_the_filter_passes_smoothly_over_its_own_thresholds():
    rng = np.random.default_rng(5)
    source = rng.integers(0, 256, (180, 320, 3), dtype=np.uint8)
    contrasts = []
    for back in np.linspace(-0.2, 16, 60):
        frame, _ = reshoot(source, LENS, pose(position=(0, 0, -back)))
        inside = in_source(pose(position=(0, 0, -back)), LENS, *SIZE, rim=4 * (4 + back) / 4)
        contrasts.append(frame[inside].std())
    steps = np.diff(contrasts[3:]) / contrasts[3:-1]
    assert np.abs(steps).max() < 0.2
    assert contrasts[-1] < 0.3 * contrasts[0]


def test_the_number_of_samples_is_bounded():
    move = look_at((-3.98, 0, 3.9), (0, 0, 4))
    matrix = plane.homography(STRAIGHT, LENS, move, LENS, 4.0, *SIZE)
    sight = plane.sight(matrix, *SIZE)
    inside = sight.hit & (sight.outside(*SIZE) <= 0)
    across, _ = sampling.minification(sight, inside)
    assert across[1] > 4
    assert sampling.samples(across[1]) == sampling.MOST_SAMPLES


def test_enlarging_keeps_smooth_edges_smooth():
    x = np.linspace(0, 255, SIZE[0])
    ramp = as_picture(np.broadcast_to(x[None, :, None], (SIZE[1], SIZE[0], 3)))
    frame, _ = reshoot(ramp, LENS, STRAIGHT, LENS * (4, 4, 1, 1))
    steps = np.diff(frame[90, :, 0].astype(int))
    assert steps.min() >= 0 and steps.max() <= 1
