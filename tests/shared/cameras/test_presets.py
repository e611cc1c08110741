from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from shared.cameras.moves import make_move
from shared.cameras.pose import inverse, pose, relative, rotation_x, rotation_y
from shared.cameras.presets import PRESETS
from shared.cameras.trajectory import Shot
from shared.cameras.twelve import twelve
from shared.errors import RecamError

DATA = Path(__file__).parents[2] / "data"
LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
START = pose(rotation_y(0.7) @ rotation_x(-0.4), (3, -1, 12))
NAMES = list(PRESETS)


@pytest.mark.parametrize("number", range(1, 11))
def test_presets_equal_what_the_public_code_feeds_its_model(number):
    expected = np.load(DATA / "presets_10x21x12.npy")[number - 1]
    shot = Shot(make_move(number, 81, Fraction(15), LENS))
    assert np.abs(twelve(shot) - expected).max() < 1e-4
    assert np.array_equal(
        shot.trajectory.poses, make_move(NAMES[number - 1], 81, 15, LENS).poses
    ), "by number and by name"


@pytest.mark.parametrize("name", NAMES)
def test_a_move_ends_at_the_same_pose_over_any_number_of_frames(name):
    end = make_move(name, 81, 15, LENS).poses[-1]
    assert np.abs(end - np.eye(4)).max() > 0.1
    for frames in (2, 24, 25, 500):
        camera = make_move(name, frames, 24, LENS)
        assert len(camera) == frames
        assert np.array_equal(camera.poses[0], np.eye(4))
        assert np.abs(camera.poses[-1] - end).max() < 1e-15
    assert np.array_equal(make_move(name, 1, 24, LENS).poses, [np.eye(4)])


@pytest.mark.parametrize("name", NAMES)
def test_a_move_starts_at_the_start_pose_and_goes_its_way_from_there(name):
    camera = make_move(name, 9, 24, LENS, start=START)
    plain = make_move(name, 9, 24, LENS)
    assert np.abs(camera.poses[0] - START).max() < 1e-15
    assert np.abs(relative(START, camera.poses) - plain.poses).max() < 1e-14


@pytest.mark.parametrize("name", NAMES)
def test_the_path_scales_with_the_subjects_distance_and_the_angles_stay(name):
    near = make_move(name, 9, 24, LENS).poses
    far = make_move(name, 9, 24, LENS, subject_distance=10).poses
    assert np.array_equal(far[:, :3, :3], near[:, :3, :3])
    assert np.abs(far[:, :3, 3] - 2.5 * near[:, :3, 3]).max() < 1e-15
    if name.startswith(("arc", "translate")):
        assert faces(far, (0, 0, 10))


@pytest.mark.parametrize("name", ["Arc Right", "arc-right", " ARC_RIGHT ", "10"])
def test_names_are_read_as_people_write_them(name):
    assert np.array_equal(
        make_move(name, 5, 24, LENS).poses, make_move("arc_right", 5, 24, LENS).poses
    )


@pytest.mark.parametrize("name", ["pan_up", 0, 11, -1, "", "1.0", None, "9" * 5000])
def test_an_unknown_preset_lists_the_ones_there_are(name):
    with pytest.raises(RecamError) as caught:
        make_move(name, 5, 24, LENS)
    assert caught.value.code == "camera_preset"
    assert all(known in caught.value.hint for known in [*NAMES, "static"])


def faces(poses, subject):
    seen = inverse(poses) @ np.append(subject, 1.0)
    return np.abs(seen[:, :2]).max() < 1e-12 and (seen[:, 2] > 0).all()


@pytest.mark.parametrize("degrees", [90, -30, 360])
def test_an_orbit_keeps_its_distance_and_faces_the_subject(degrees):
    camera = make_move("orbit", 33, 24, LENS, START, 6, {"angle": degrees})
    subject = (START @ (0, 0, 6, 1))[:3]
    assert np.abs(np.linalg.norm(camera.poses[:, :3, 3] - subject, axis=1) - 6).max() < 1e-12
    assert faces(camera.poses, subject)
    assert np.abs(camera.poses[0] - START).max() < 1e-15
    steps = np.linalg.norm(np.diff(camera.poses[:, :3, 3], axis=0), axis=1)
    assert np.allclose(steps, 12 * np.sin(np.radians(abs(degrees)) / 64), atol=1e-12)


def test_a_positive_orbit_moves_right_and_ends_where_it_should():
    end = make_move("orbit", 5, 24, LENS, values={"angle": 90}).poses[-1]
    assert np.allclose(end[:3, 3], (4, 0, 4)) and np.allclose(end[:3, 2], (-1, 0, 0))


def test_a_dolly_goes_along_the_line_of_sight():
    camera = make_move("dolly", 4, 24, LENS, START, values={"distance": 0.75})
    assert np.allclose(camera.poses[:, :3, 3], START[:3, 3] + np.outer(range(4), START[:3, 2]))
    assert np.array_equal(camera.poses[:, :3, :3], np.repeat(START[None, :3, :3], 4, axis=0))


def test_static_stands():
    camera = make_move("static", 7, 24, LENS, START)
    assert np.array_equal(camera.poses, np.repeat(START[None], 7, axis=0))
    assert np.array_equal(camera.lenses, np.repeat(LENS[None], 7, axis=0))


@pytest.mark.parametrize("distance", [0, -4, float("nan"), float("inf")])
def test_a_distance_that_is_none_is_refused(distance):
    for move in (
        lambda: make_move("arc_left", 5, 24, LENS, subject_distance=distance),
        lambda: make_move("orbit", 5, 24, LENS, subject_distance=distance),
    ):
        with pytest.raises(RecamError) as caught:
            move()
        assert caught.value.code == "subject_distance"


@pytest.mark.parametrize("frames", [0, -3, 10**9])
def test_a_length_that_is_none_is_refused(frames):
    with pytest.raises(RecamError) as caught:
        make_move("arc_left", frames, 24, LENS)
    assert caught.value.code == "camera_frames"
