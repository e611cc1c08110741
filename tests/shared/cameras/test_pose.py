from __future__ import annotations

import numpy as np
import pytest

from shared.cameras.pose import inverse, look_at, pose, relative, rotation_x, rotation_y
from shared.cameras.trajectory import Shot, Trajectory
from shared.errors import RecamError

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])


def changed(row, column, value):
    matrix = np.eye(4)
    matrix[row, column] = value
    return matrix


REFUSED = {
    "missing": (None, "missing"),
    "not a number": (changed(0, 3, np.nan), "not finite"),
    "infinite": (changed(1, 1, np.inf), "not finite"),
    "mirrored": (np.diag([1.0, 1, -1, 1]), "mirrored"),
    "scaled": (np.diag([2.0, 2, 2, 1]), "not a rotation"),
    "so large that its square overflows": (np.diag([1e300, 1, 1, 1]), "not a rotation"),
    "sheared": (changed(0, 1, 0.01), "not a rotation"),
    "flat": (np.diag([1.0, 1, 0, 1]), "not a rotation"),
    "with a bent last row": (changed(3, 0, 0.1), "last row|end in the row"),
    "3x4": (np.eye(4)[:3], "shape"),
    "words": ([["a"] * 4] * 4, "matrix of numbers"),
    "too large for a float": ([[10**400] * 4] * 4, "matrix of numbers"),
}


@pytest.mark.parametrize("frame", [0, 7])
@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_pose_is_refused_with_its_frame(name, frame):
    wrong, says = REFUSED[name]
    poses = [np.eye(4) for _ in range(9)]
    poses[frame] = wrong
    with pytest.raises(RecamError, match=says) as caught:
        Trajectory(poses, LENS, 25)
    assert caught.value.code == "camera_pose"
    assert f"frame {frame} " in caught.value.sentence


@pytest.mark.parametrize(
    "wrong", [None, [1, 1, 0.5], [0, 1, 0.5, 0.5], [1, 1, np.nan, 0.5], "lens"]
)
def test_a_wrong_lens_is_refused_with_its_frame(wrong):
    lenses = [LENS, LENS, wrong]
    with pytest.raises(RecamError, match="frame 2 ") as caught:
        Trajectory([np.eye(4)] * 3, lenses, 25)
    assert caught.value.code == "camera_lens"


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "fast", None, 1e-9])
def test_a_wrong_rate_is_refused(rate):
    with pytest.raises(RecamError) as caught:
        Trajectory([np.eye(4)], LENS, rate)
    assert caught.value.code == "camera_rate"


def test_a_rate_given_as_a_float_is_the_decimal_it_was_written_as():
    assert str(Trajectory([np.eye(4)], LENS, 29.97).rate) == "2997/100"


def test_cameras_of_different_length_or_rate_make_no_shot():
    three = Trajectory([np.eye(4)] * 3, LENS, 25)
    for other in (Trajectory([np.eye(4)] * 2, LENS, 25), Trajectory([np.eye(4)] * 3, LENS, 24)):
        with pytest.raises(RecamError) as caught:
            Shot(three, other)
        assert caught.value.code == "camera_source"


def test_without_a_source_camera_it_is_taken_to_stand_at_the_first_pose():
    poses = [pose(rotation_y(0.1 * i), (i, 0, 0)) for i in range(1, 4)]
    shot = Shot(Trajectory(poses, LENS, 25))
    assert np.array_equal(shot.assumed_source_camera.poses, [poses[0]] * 3)


def test_relative_is_the_pose_seen_from_the_reference():
    a = pose(rotation_y(0.4) @ rotation_x(-0.2), (1, 2, 3))
    b = pose(rotation_x(0.3), (-2, 0, 5))
    assert np.abs(relative(a, b) - np.linalg.inv(a) @ b).max() < 1e-14
    assert np.abs(inverse(a) @ a - np.eye(4)).max() < 1e-15


def test_look_at_puts_the_target_in_the_middle_and_stays_level():
    camera = look_at((1, -2, 0.5), (4, 1, 9))
    seen = inverse(camera) @ (4, 1, 9, 1)
    assert np.abs(seen[:2]).max() < 1e-14 and seen[2] > 0
    assert camera[1, 0] == 0
    with pytest.raises(RecamError):
        look_at((0, 0, 0), (0, 3, 0))
