"""As few keyframes as hold a path. No Blender."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.blender_fixtures import load_pure

keyframes = load_pure("camera/keyframes")


def polynomial(frames, *factors):
    return np.polynomial.Polynomial(factors)(np.arange(frames, dtype=float))[:, None]


def test_slopes_are_exact_up_to_the_fourth_degree():
    factors = (1, -2, 0.3, 0.02, -0.001)
    values = polynomial(12, *factors)
    exact = np.polynomial.Polynomial(factors).deriv()(np.arange(12.0))[:, None]
    assert np.abs(keyframes.slopes(values) - exact).max() < 1e-10


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_a_few_frames_have_slopes_too(frames):
    values = polynomial(frames, 5, 2)
    expected = 2.0 if frames > 1 else 0.0
    assert np.allclose(keyframes.slopes(values), expected)
    assert keyframes.sparse(values, keyframes.slopes(values), np.ones(1))[-1] == frames - 1


def test_a_cubic_needs_two_and_a_wave_as_many_as_hold_it():
    cubic = polynomial(81, 1, 0.5, -0.2, 0.002)
    assert keyframes.sparse(cubic, keyframes.slopes(cubic), np.full(1, 1e-6)) == [0, 80]
    wave = np.sin(np.arange(81) / 10)[:, None]
    speeds = keyframes.slopes(wave)
    few, many = (keyframes.sparse(wave, speeds, np.full(1, each)) for each in (1e-2, 1e-5))
    assert 2 < len(few) < len(many) < 60 and many[0] == 0 and many[-1] == 80
    for keyed, allowed in ((few, 1e-2), (many, 1e-5)):
        for first, last in pairwise(keyed):
            curve = keyframes.cubic(first, last, wave, speeds)
            assert np.abs(curve - wave[first : last + 1]).max() <= allowed


def test_the_strictest_value_decides():
    both = np.hstack([polynomial(41, 0, 1), np.sin(np.arange(41) / 5)[:, None]])
    speeds = keyframes.slopes(both)
    assert keyframes.sparse(both, speeds, np.array([1e-9, 10.0])) == [0, 40]
    assert len(keyframes.sparse(both, speeds, np.array([10.0, 1e-4]))) > 5
