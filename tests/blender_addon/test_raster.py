"""Depth of triangles against planes and rays, in numbers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_fixtures import load_pure

nearness = load_pure("camera/raster").nearness
LENS = np.array([1.2, 1.6, 0.45, 0.55])


def rays(width, height):
    x = ((np.arange(width) + 0.5) / width - LENS[2]) / LENS[0]
    y = ((np.arange(height) + 0.5) / height - LENS[3]) / LENS[1]
    return np.stack([*np.broadcast_arrays(x, y[:, None]), np.ones((height, width))], -1)


def quad(a, b, c, d):
    return [[a, b, c], [a, c, d]]


def test_a_ground_that_passes_under_the_camera_is_exact_and_without_gaps():
    size = 4000.0
    corners = [(-size, 1.6, -size), (size, 1.6, -size), (size, 1.6, size), (-size, 1.6, size)]
    found = nearness(np.array(quad(*corners)), LENS, 160, 120)
    down = rays(160, 120)[..., 1]
    assert found[down > 0.01] == pytest.approx(down[down > 0.01] / 1.6, rel=1e-5)
    assert (found[down < -1e-3] == 0).all()


def test_the_nearest_counts_and_what_lies_behind_the_camera_does_not():
    card = [(-0.5, -0.5, 3.0), (0.5, -0.5, 3.0), (0.5, 0.5, 3.0), (-0.5, 0.5, 3.0)]
    far = [(4 * x, 4 * y, 6.0) for x, y, _ in card]
    behind = [(x, y, -1.0) for x, y, _ in card]
    found = nearness(np.array(quad(*far) + quad(*card) + quad(*behind)), LENS, 160, 120)
    ray = rays(160, 120) * 3
    on_card = (np.abs(ray[..., :2]) < 0.5).all(-1)
    assert np.allclose(found[on_card], 1 / 3)
    assert np.allclose(found[~on_card & (np.abs(2 * ray[..., :2]) < 2).all(-1)], 1 / 6)


@pytest.mark.parametrize("spread", [0.02, 0.3, 2.0])
def test_many_triangles_of_any_size_are_met_where_rays_meet_them(spread):
    rng = np.random.default_rng(4)
    middles = rng.uniform((-2, -2, 0.5), (2, 2, 6), (300, 1, 3))
    triangles = middles + rng.normal(0, spread, (300, 3, 3))
    found = nearness(triangles, LENS, 48, 36)
    ray = rays(48, 36).reshape(-1, 3)
    weights = np.einsum("tij,pj->pti", np.linalg.inv(np.swapaxes(triangles, 1, 2)), ray)
    meets = np.where((weights > 0).all(-1), weights.sum(-1), 0)
    assert np.allclose(found.reshape(-1), meets.max(1), rtol=1e-4, atol=1e-6)


def test_a_fine_mesh_has_no_gaps():
    x, y = np.meshgrid(np.linspace(-6, 6, 61), np.linspace(-6, 6, 61))
    points = np.stack([x, y, 5 + 0.3 * np.sin(x) * np.cos(y)], -1)
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    triangles = np.concatenate([np.stack(t, 2).reshape(-1, 3, 3) for t in ((a, b, c), (a, c, d))])
    found = nearness(triangles, LENS, 320, 240)
    assert (found > 1 / 5.4).all() and (found < 1 / 4.6).all()
