from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from shared.cameras.moves import MOVES, eased, find_move, make_move
from shared.cameras.pose import inverse, pose, relative, rotation_about, rotation_x, rotation_y
from shared.cameras.presets import PRESETS
from shared.cameras.trajectory import Trajectory
from shared.cameras.uses import stabilised
from shared.errors import RecamError

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
START = pose(rotation_y(0.7) @ rotation_x(-0.4), (3, -1, 12))
RATE = Fraction(25)
MADE = [name for name, move in MOVES.items() if move.path]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_of_half_the_strength_goes_half_the_way(name):
    half = make_move(name, 81, 15, LENS, values={"strength": 0.5}).poses[-1]
    assert np.abs(half - make_move(name, 81, 15, LENS).poses[40]).max() < 1e-12


@pytest.mark.parametrize("name", MADE)
def test_every_move_starts_at_the_start_pose_exactly_and_scales_with_the_subject(name):
    near, far = (make_move(name, 40, RATE, LENS, START, metres) for metres in (2.0, 6.0))
    assert np.abs(near.poses[0] - START).max() < 1e-15
    first, second = (relative(START, move.poses) for move in (near, far))
    assert np.abs(3 * first[:, :3, 3] - second[:, :3, 3]).max() < 1e-12
    assert np.abs(first[:, :3, :3] - second[:, :3, :3]).max() < 1e-12
    assert (name == "static") == (np.abs(first[-1] - np.eye(4)).max() < 1e-6)
    assert len(near) == 40 and near.rate == RATE and (near.lenses == LENS).all()


def test_a_crane_rises_and_keeps_facing_the_subject():
    poses = make_move("crane", 21, RATE, LENS, subject_distance=8, values={"height": 0.5}).poses
    assert np.allclose(poses[-1, :3, 3], (0, -4, 0)), "up is -y"
    seen = inverse(poses) @ (0, 0, 8, 1)
    assert np.abs(seen[:, :2]).max() < 1e-12 and (seen[:, 2] >= 8).all()
    assert np.abs(poses[:, 1, 0]).max() < 1e-12, "level"


def test_an_orbit_and_a_dolly_are_as_far_as_asked():
    a = np.radians(-50)
    poses = make_move("orbit", 9, RATE, LENS, START, 6, {"angle": -50}).poses
    assert np.allclose(relative(START, poses)[-1, :3, 3], (6 * np.sin(a), 0, 6 - 6 * np.cos(a)))
    end = make_move("dolly", 9, RATE, LENS, None, 6, {"distance": -0.5}).poses[-1]
    assert np.allclose(end[:3, 3], (0, 0, -3))


UP = np.array([0.0, -0.6, 0.8])  # of a camera that looks up a little, seen from a world of its own


@pytest.mark.parametrize("roll", [0.0, 0.3])
def test_with_a_ground_an_orbit_goes_round_its_vertical_and_a_crane_along_it(roll):
    start = pose(rotation_about((0, 0, roll)), (1, 2, 3))
    subject = (start @ (0, 0, 4, 1))[:3]
    poses = make_move("orbit", 9, RATE, LENS, start, values={"angle": 90}, up=UP).poses
    assert np.ptp(poses[:, :3, 3] @ UP) < 1e-12, "at one height"
    assert np.ptp(poses[:, :3, 2] @ UP) < 1e-12 and np.ptp(poses[:, :3, 0] @ UP) < 1e-12
    assert np.abs(inverse(poses) @ (*subject, 1) - (0, 0, 4, 1)).max() < 1e-12
    poses = make_move("crane", 9, RATE, LENS, start, values={"height": 0.5}, up=UP).poses
    assert np.abs(poses[0] - start).max() < 1e-12
    assert np.abs(poses[-1, :3, 3] - start[:3, 3] - 2 * UP).max() < 1e-12
    seen = inverse(poses) @ (*subject, 1)
    assert np.abs(seen[:, :2]).max() < 1e-12
    level = np.cross(poses[:, :3, 2], UP)
    level /= np.linalg.norm(level, axis=1, keepdims=True)
    rolls = np.einsum("fi,fi->f", poses[:, :3, 0], level)
    assert np.ptp(rolls) < 1e-12 and abs(abs(rolls[0]) - np.cos(roll)) < 1e-12


def test_a_crane_above_its_subject_rises_in_the_picture():
    poses = make_move("crane", 9, RATE, LENS, values={"height": 0.5}, up=(0, 0, -1)).poses
    assert np.allclose(poses[-1, :3, 3], (0, -2, 0))


def test_an_ease_begins_and_ends_gently_and_goes_as_far():
    values = {"distance": 0.5, "ease_in": 1.0, "ease_out": 1.0}
    z = make_move("dolly", 101, RATE, LENS, values=values).poses[:, 2, 3]
    assert z[0] == 0 and abs(z[-1] - 2) < 1e-12 and abs(z[50] - 1) < 1e-12
    steps = np.diff(z)
    assert (steps > 0).all() and steps[0] < steps.mean() / 20 and steps[-1] < steps.mean() / 20
    one = np.diff([eased(i / 100, 0.5, 0.0) for i in range(101)]) * 100
    assert abs(one[0] - 0.5) < 0.02 and abs(one[-1] - 1) < 0.02


@pytest.fixture
def held():
    """Twenty seconds."""

    def run(rate=25, **values):
        return make_move("handheld", 20 * rate + 1, rate, LENS, None, 4, values)

    return run


def test_a_hand_shakes_as_far_as_asked_and_never_drifts(held):
    poses = np.array([held(sway=0.01, turn=1.0, seed=seed).poses for seed in range(8)])
    place = poses[:, :, :3, 3]
    assert np.allclose(place.std(axis=(0, 1)), (0.04, 0.04, 0.02), rtol=0.1)
    turns = np.degrees(poses[:, :, 0, 2])  # about y, small
    assert 0.9 < turns.std() < 1.1
    assert np.abs(place.mean(axis=1)).max() < 0.015
    assert np.abs(place).max() < 4 * 0.04


def test_a_hand_is_smooth_and_no_quicker_than_asked(held):
    x = held(rate=100, quickness=3.0).poses[:, 0, 3]
    power = np.abs(np.fft.rfft(x * np.hanning(len(x)))) ** 2
    hertz = np.fft.rfftfreq(len(x), 0.01)
    assert power[hertz > 3.5].sum() < 1e-3 * power.sum()
    slow = held(rate=100, quickness=0.5).poses[:, 0, 3]
    jerks = [np.abs(np.diff(each[100:], 2)).max() for each in (slow, x)]  # once faded in
    assert jerks[0] < jerks[1] / 3


def test_a_seed_is_a_hand_and_the_rate_makes_no_difference(held):
    assert np.array_equal(held(seed=3).poses, held(seed=3).poses)
    assert np.abs(held(seed=3).poses - held(seed=4).poses).max() > 0.01
    assert np.abs(held(rate=50, seed=3).poses[::2] - held(rate=25, seed=3).poses).max() < 1e-12


def test_smoothing_needs_the_source_camera_and_is_its_own():
    source = make_move("orbit", 50, RATE, LENS, START, values={"angle": 20})
    noise = source.poses.copy()
    noise[:, :3, 3] += np.random.default_rng(1).normal(0, 0.03, (50, 3))
    source = Trajectory(noise, LENS, RATE)
    made = make_move("smooth", 50, RATE, LENS, values={"seconds": 0.5}, source_camera=source)
    assert np.array_equal(made.poses, stabilised(source, 0.5).poses)
    with pytest.raises(RecamError) as caught:
        make_move("smooth", 50, RATE, LENS)
    assert caught.value.code == "move_source"


@pytest.mark.parametrize("name", ["Crane", " CRANE ", "Pan-Right", "1", 1])
def test_moves_are_found_as_people_write_them(name):
    assert find_move(name).name in ("crane", "pan_right")


def test_an_unknown_move_lists_those_there_are():
    with pytest.raises(RecamError) as caught:
        find_move("spiral")
    assert caught.value.code == "camera_preset"
    assert all(name in caught.value.hint for name in MOVES)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("orbit", {"strength": 1}),
        ("static", {"ease_in": 1}),
        ("orbit", {"angle": 1e9}),
        ("orbit", {"angle": float("nan")}),
        ("pan_left", {"ease_in": 1.5}),
        ("handheld", {"seed": -1}),
        ("handheld", {"seed": 1.5}),
    ],
)
def test_what_a_move_has_not_or_cannot_be_is_said(name, values):
    with pytest.raises(RecamError) as caught:
        make_move(name, 5, RATE, LENS, values=values)
    assert caught.value.code == "move_parameter" and name in caught.value.sentence


def test_one_frame_is_the_first_pose():
    for name in MADE:
        assert np.abs(make_move(name, 1, RATE, LENS, START).poses - [START]).max() < 1e-15


def test_the_table_tells_all_that_a_panel_needs():
    for name, move in MOVES.items():
        assert name == move.name and move.title and move.about[0].isupper()
        assert not move.about.endswith(".")
        for each in move.parameters:
            assert each.least <= each.default <= each.most and each.about and each.title
            assert each.kind in ("factor", "share", "degrees", "seconds", "hertz", "whole")
