from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from shared.cameras.pose import pose, rotation_x, rotation_y
from shared.cameras.resample import over, resample
from shared.cameras.slerp import matrices, quaternions, slerp
from shared.cameras.trajectory import MAX_FRAMES, Trajectory
from shared.errors import RecamError

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])


def turn(axis, angle):
    """Rodrigues' formula, written out apart from the code under test."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def angle_between(a, b):
    return 2 * np.arcsin(np.clip(np.linalg.norm(a - b) / np.sqrt(8), 0, 1))


def swinging(frames, rate):
    """A smooth camera: turning about two axes, moving, zooming."""
    times = np.arange(frames) / float(rate)
    poses = [
        pose(rotation_y(np.sin(2 * t)) @ rotation_x(0.3 * t), (t, t * t, np.cos(t))) for t in times
    ]
    return Trajectory(poses, [[1 + 0.2 * t, 2 + 0.4 * t, 0.5, 0.5] for t in times], rate)


@pytest.mark.parametrize("angle", [1e-9, 1e-4, 0.5, 2.0, 3.0, np.pi - 1e-7])
def test_slerp_turns_about_one_axis_at_constant_speed(angle):
    axis = (1, -2, 0.5)
    start = turn((0, 1, 1), 2.5)
    weights = np.linspace(0, 1, 11)
    between = slerp(
        np.repeat(start[None], 11, 0), np.repeat((turn(axis, angle) @ start)[None], 11, 0), weights
    )
    expected = np.array([turn(axis, angle * weight) @ start for weight in weights])
    assert np.abs(between - expected).max() < 1e-14


def test_slerp_takes_half_a_turn_at_constant_speed_to_the_right_end():
    for axis in np.eye(3):
        start = turn((1, 1, 0), 1.0)
        end = turn(axis, np.pi) @ start
        weights = np.linspace(0, 1, 13)
        path = slerp(np.repeat(start[None], 13, 0), np.repeat(end[None], 13, 0), weights)
        assert np.abs(path[0] - start).max() < 1e-15 and np.abs(path[-1] - end).max() < 1e-15
        steps = [angle_between(a, b) for a, b in pairwise(path)]
        assert np.allclose(steps, np.pi / 12, atol=1e-12)


def test_slerp_takes_the_short_way_where_the_quaternions_have_opposite_signs():
    start, end = turn((0, 1, 0), np.radians(170)), turn((0, 1, 0), np.radians(190))
    a, b = quaternions(start[None])[0], quaternions(end[None])[0]
    middle = slerp(start[None], end[None], [0.5])[0]
    assert np.abs(middle - turn((0, 1, 0), np.pi)).max() < 1e-14
    # The same two with the sign turned round must not matter either: the test of the test.
    assert np.allclose(matrices(-a[None]), start) and np.allclose(matrices(-b[None]), end)


def test_slerp_between_antipodal_quaternions_stays_where_it_is():
    # A hair to either side of half a turn: the quaternions are q and nearly -q.
    start, end = turn((1, 0, 0), np.pi - 1e-9), turn((1, 0, 0), np.pi + 1e-9)
    a, b = quaternions(start[None]), quaternions(end[None])
    assert abs(abs(np.sum(a * b)) - 1) < 1e-12
    assert np.abs(slerp(start[None], end[None], [0.5])[0] - turn((1, 0, 0), np.pi)).max() < 1e-8


def test_quaternions_keep_every_rotation():
    rng = np.random.default_rng(3)
    axes = rng.normal(size=(400, 3))
    angles = np.concatenate([rng.uniform(0, np.pi, 300), np.pi - 10.0 ** rng.uniform(-15, -3, 100)])
    rotations = np.array([turn(*pair) for pair in zip(axes, angles, strict=True)])
    assert np.abs(matrices(quaternions(rotations)) - rotations).max() < 1e-14


def test_24_to_25_frames_a_second_and_back_is_the_same_camera():
    camera = swinging(48, 24)
    other = resample(camera, 25)
    assert (len(other), other.rate) == (50, 25)
    back = resample(other, 24)
    assert (len(back), back.rate) == (48, 24)
    # Linear between frames 1/24 s apart: the error is a quarter of the curvature times its square.
    assert np.abs(back.poses[:-1] - camera.poses[:-1]).max() < 3e-3
    assert np.abs(back.lenses[:-1] - camera.lenses[:-1]).max() < 1e-12
    assert np.abs(back.poses[-1] - camera.poses[-1]).max() < 0.1


def test_frames_stand_at_their_times():
    camera = swinging(48, 24)
    other = resample(camera, 25)
    truth = swinging(50, 25)
    assert np.abs(other.poses[:49] - truth.poses[:49]).max() < 2e-3


def test_a_frame_that_falls_on_a_pose_is_that_pose_exactly():
    camera = swinging(9, Fraction(24000, 1001))
    assert np.array_equal(resample(camera, camera.rate).poses, camera.poses)
    doubled = resample(camera, camera.rate * 2)
    assert np.array_equal(doubled.poses[:18:2], camera.poses)
    assert np.array_equal(resample(doubled, camera.rate).poses, camera.poses)


def test_positions_and_lenses_are_linear_between_poses():
    camera = Trajectory(
        [pose(position=(0, 0, 0)), pose(position=(4, -8, 2))],
        [[1, 2, 0.5, 0.5], [3, 6, 0.4, 0.6]],
        10,
    )
    quarter = resample(camera, 40)
    assert np.allclose(quarter.poses[1, :3, 3], (1, -2, 0.5))
    assert np.allclose(quarter.lenses[1], (1.5, 3, 0.475, 0.525))


def test_after_the_last_pose_the_camera_holds():
    camera = swinging(5, 10)
    longer = resample(camera, 20, frames=15)
    assert np.array_equal(longer.poses[8:], np.repeat(camera.poses[-1:], 7, axis=0))
    assert np.array_equal(longer.lenses[8:], np.repeat(camera.lenses[-1:], 7, axis=0))


@pytest.mark.parametrize(("rate", "frames"), [(12, 24), ("24000/1001", 48), (30, 60), (1000, 2000)])
def test_the_new_camera_lasts_as_long_as_the_old(rate, frames):
    assert len(resample(swinging(48, 24), Fraction(rate))) == frames


@pytest.mark.parametrize("frames", [2, 33, 81, 200])
def test_a_path_spread_over_any_number_of_frames_keeps_its_ends_and_its_way(frames):
    camera = swinging(41, 24)
    spread = over(camera, frames, 25)
    assert (len(spread), spread.rate) == (frames, 25)
    assert np.array_equal(spread.poses[0], camera.poses[0])
    assert np.array_equal(spread.poses[-1], camera.poses[-1])
    seconds = np.arange(frames) * 40 / (frames - 1) / 24
    assert np.abs(spread.poses[:, 0, 3] - seconds).max() < 1e-12


def test_one_frame_of_a_path_and_a_path_of_one_frame():
    camera = swinging(5, 24)
    assert np.array_equal(over(camera, 1, 24).poses, camera.poses[:1])
    single = swinging(1, 24)
    assert np.array_equal(over(single, 7, 24).poses, np.repeat(single.poses, 7, axis=0))
    assert np.array_equal(resample(single, 50).poses, np.repeat(single.poses, 2, axis=0))


def test_impossible_rates_and_lengths_are_refused_before_any_work():
    camera = swinging(5, 24)
    with pytest.raises(RecamError) as caught:
        resample(camera, 0)
    assert caught.value.code == "camera_rate"
    for frames in (0, -1, MAX_FRAMES + 1):
        for change in (over, lambda c, n, r: resample(c, r, n)):
            with pytest.raises(RecamError) as caught:
                change(camera, frames, 24)
            assert caught.value.code == "camera_frames"
    with pytest.raises(RecamError) as caught:
        resample(camera, 10**8)
    assert caught.value.code == "camera_frames"
