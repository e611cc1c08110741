from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from shared.cameras.moves import make_move
from shared.cameras.pose import pose, relative, rotation_x, rotation_y
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.uses import stabilised, zoom_in, zoom_out
from shared.errors import RecamError

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
RATE = Fraction(25)
START = pose(rotation_y(2.0) @ rotation_x(0.4), (3, -1, 2))


def turned(poses):
    """Angles between each pose and the next, radians."""
    steps = [a[:3, :3].T @ b[:3, :3] for a, b in pairwise(poses)]
    return np.array([np.linalg.norm(step - np.eye(3)) / np.sqrt(2) for step in steps])


def shaky(frames=100, shake=0.02):
    """A steady pan and walk with shake on top; and the steady one."""
    rng = np.random.default_rng(3)
    steady = [START @ pose(rotation_y(0.01 * i), (0.02 * i, 0, 0.01 * i)) for i in range(frames)]
    noise = [
        pose(rotation_y(a) @ rotation_x(b), p) for a, b, *p in rng.normal(0, shake, (frames, 5))
    ]
    return (
        Trajectory([s @ n for s, n in zip(steady, noise, strict=True)], LENS, RATE),
        Trajectory(steady, LENS, RATE),
    )


def test_shake_goes_and_the_move_stays():
    source, steady = shaky()
    result = stabilised(source, 1.0)
    away = relative(steady.poses[20], result.poses[20])
    assert np.abs(away - np.eye(4)).max() < 0.02
    assert turned(result.poses).std() < 0.1 * turned(source.poses).std()
    speeds = [np.linalg.norm(np.diff(t.poses[:, :3, 3], 2, axis=0)) for t in (result, source)]
    assert speeds[0] < 0.05 * speeds[1]
    # The shake left in the middle, where the ends' own shake does not count.
    error = [np.abs(t.poses[40:60] - steady.poses[40:60]).mean() for t in (result, source)]
    assert error[0] < 0.5 * error[1]


def test_first_and_last_pose_stay():
    source, _ = shaky()
    result = stabilised(source, 2.0)
    assert np.abs(result.poses[[0, -1]] - source.poses[[0, -1]]).max() < 1e-12


@pytest.mark.parametrize("seconds", [0.01, 0.5, 10.0])
def test_a_steady_camera_stays_what_it_is(seconds):
    turn = [pose(rotation_y(0.03 * i), (0.1 * i, 0, 0.2 * i)) for i in range(60)]
    zooming = [LENS * (1.02**i, 1.02**i, 1, 1) for i in range(60)]
    source = Trajectory(START @ np.array(turn), zooming, RATE)
    result = stabilised(source, seconds)
    assert np.abs(result.poses - source.poses).max() < 1e-11
    assert np.abs(result.lenses / source.lenses - 1).max() < 1e-11


def test_a_mean_of_turns_about_one_axis_is_the_mean_of_their_angles():
    turn = 1.2
    poses = [START, START @ pose(rotation_x(turn)), START]
    result = stabilised(Trajectory(poses, LENS, RATE), 2 / 25)
    # One frame's standard deviation, two frames either way: 0, turn, 0, and the mirror images of
    # the turn in the ends.
    angles, weights = np.array([-turn, 0, turn, 0, -turn]), np.exp(-0.5 * np.arange(-2, 3) ** 2.0)
    expected = START[:3, :3] @ rotation_x(angles @ weights / weights.sum())
    assert np.abs(result.poses[1, :3, :3] - expected).max() < 1e-12


def test_a_mean_of_turns_is_as_far_from_all_in_sum():
    # What a mean on the sphere is: seen from it, the weighted turns to all others cancel.
    source, _ = shaky(41, shake=0.4)
    mean = stabilised(source, 8 / 25).poses[20, :3, :3]
    weights = np.exp(-0.5 * (np.arange(-12, 13) / 4) ** 2)
    away = [rotation_vector(mean.T @ p[:3, :3]) for p in source.poses[8:33]]
    assert np.abs(weights @ away).max() < 1e-9
    assert np.abs(np.ones(25) @ away).max() > 1e-2


def rotation_vector(rotation):
    """Axis times angle, radians."""
    angle = np.arccos((np.trace(rotation) - 1) / 2)
    skew = (rotation - rotation.T) / (2 * np.sin(angle))
    return angle * np.array([skew[2, 1], skew[0, 2], skew[1, 0]])


def test_the_sign_of_a_quaternion_does_not_matter():
    poses = [pose(rotation_y(0.15 * i)) for i in range(80)]  # twice round
    result = stabilised(Trajectory(poses, LENS, RATE), 0.5)
    assert np.abs(result.poses - poses).max() < 1e-11


def test_static_stands_at_the_first_pose():
    source, _ = shaky(10)
    result = stabilised(source, None)
    assert (result.poses == source.poses[0]).all() and len(result) == 10 and result.rate == RATE


def test_one_frame_is_left_alone():
    source = Trajectory([START], LENS, RATE)
    assert np.abs(stabilised(source).poses - START).max() < 1e-15
    shot = Shot(source)
    assert np.abs(zoom_in(shot, 3).poses - START).max() < 1e-15


def test_zoom_in_twice_is_the_public_preset():
    trajectory = make_move("static", 81, RATE, LENS, START)
    result = zoom_in(Shot(trajectory), 2)
    assert np.abs(result.poses - make_move("dolly", 81, RATE, LENS, START).poses).max() < 1e-12


@pytest.mark.parametrize(("use", "size"), [(zoom_in, 3.0), (zoom_out, 1 / 3)])
def test_the_subject_becomes_as_large_as_asked(use, size):
    distance = 7.0
    shot = Shot(make_move("static", 30, RATE, LENS, START), subject_distance=distance)
    subject = START[:3, 3] + distance * START[:3, 2]
    result = use(shot, 3.0)
    depth = relative(result.poses[-1], pose(position=subject))[2, 3]
    assert abs(distance / depth - size) < 1e-12
    assert np.abs(result.poses[0] - START).max() < 1e-15
    assert (result.lenses == LENS).all()


def test_a_zoom_goes_with_a_source_camera_that_moves_and_may_be_done_early():
    source = make_move("pan_right", 51, RATE, LENS, START)
    shot = Shot(source, source_camera=source)
    result = zoom_out(shot, 2, seconds=1)
    steps = relative_each(source.poses, result.poses)
    assert np.abs(steps[:, :3, :3] - np.eye(3)).max() < 1e-12
    assert np.allclose(steps[:, 2, 3], -4 * np.minimum(np.arange(51) / 25, 1))


def relative_each(first, second):
    return np.array([relative(a, b) for a, b in zip(first, second, strict=True)])


@pytest.mark.parametrize("factor", [0.5, 0, -1, np.nan, np.inf])
@pytest.mark.parametrize("use", [zoom_in, zoom_out])
def test_no_zoom(use, factor):
    with pytest.raises(RecamError, match="no zoom") as raised:
        use(Shot(make_move("static", 5, RATE, LENS)), factor)
    assert raised.value.code == "zoom_factor"


@pytest.mark.parametrize("seconds", [0, -1, np.nan, np.inf])
def test_no_time(seconds):
    for use in (lambda s: stabilised(s.trajectory, seconds), lambda s: zoom_in(s, 2, seconds)):
        with pytest.raises(RecamError) as raised:
            use(Shot(make_move("static", 5, RATE, LENS)))
        assert raised.value.code == "seconds"
