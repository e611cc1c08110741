from __future__ import annotations

import numpy as np
import pytest

from shared.cameras.pose import pose, rotation_x, rotation_y
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.twelve import poses_from_twelve, twelve, twelve_of
from shared.errors import RecamError

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
POSES = np.array([pose(rotation_y(0.1 * i) @ rotation_x(0.2), (i, 1, -2 * i)) for i in range(9)])
SOURCE = np.array([pose(rotation_x(-0.1 * i - 0.5), (0.5, i, 3)) for i in range(9)])


@pytest.mark.parametrize(("frames", "latents"), [(1, 1), (4, 1), (5, 2), (9, 3)])
def test_one_pose_per_latent_frame(frames, latents):
    vectors = twelve(Shot(Trajectory(POSES[:frames], LENS, 25)))
    assert vectors.shape == (latents, 12) and vectors.dtype == np.float64
    assert np.abs(vectors[0] - np.eye(4)[:3].ravel()).max() < 1e-15


def test_the_reference_is_the_source_cameras_first_pose_the_trajectorys_or_any():
    shot = Shot(Trajectory(POSES, LENS, 25), Trajectory(SOURCE, LENS, 25))
    for reference, pose_of in (
        ("source", SOURCE[0]),
        ("trajectory", POSES[0]),
        (SOURCE[4], SOURCE[4]),
    ):
        expected = [(np.linalg.inv(pose_of) @ POSES[i])[:3].ravel() for i in (0, 4, 8)]
        assert np.abs(twelve(shot, reference) - expected).max() < 1e-13


def test_an_unknown_reference_is_refused():
    with pytest.raises(RecamError) as caught:
        twelve(Shot(Trajectory(POSES, LENS, 25)), "target")
    assert caught.value.code == "camera_reference"


def test_poses_come_back_from_the_twelve_numbers():
    vectors = twelve_of(POSES, SOURCE[0], step=1)
    assert np.abs(poses_from_twelve(vectors, SOURCE[0]) - POSES).max() < 1e-14
    assert np.abs(poses_from_twelve(vectors)[:, :3].reshape(-1, 12) - vectors).max() == 0


def test_twelve_numbers_that_are_no_pose_are_refused_with_their_place():
    vectors = twelve_of(POSES, POSES[0], step=1)
    vectors[5, 0] = np.nan
    with pytest.raises(RecamError, match="frame 5 "):
        poses_from_twelve(vectors)
