"""Loaded by its path: importing the add-on's package would need Blender."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from shared.cameras.pose import pose, rotation_x, rotation_y
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.twelve import twelve
from shared.errors import RecamError

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("axes", ROOT / "blender_addon" / "camera" / "axes.py")
axes = importlib.util.module_from_spec(spec)
spec.loader.exec_module(axes)

LENS = np.array([1.0, 16 / 9, 0.5, 0.5])
CASES = json.loads((ROOT / "tests" / "data" / "blender_camera_to_12.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_blender_cameras_give_the_models_numbers_against_either_reference(case):
    scale = case["scale_length"]
    trajectory = Trajectory(axes.trajectory_pose(case["matrix_world"], scale), LENS, 24)
    first = axes.trajectory_pose(case["source_matrix_world"], scale)
    shot = Shot(trajectory, Trajectory.standing(first, LENS, 24, len(trajectory)))
    for reference, expected in (
        ("source", case["camera_12_source_reference"]),
        ("trajectory", case["camera_12_own_first_pose"]),
    ):
        assert np.abs(twelve(shot, reference, step=1) - expected).max() < 1e-9


def test_a_camera_fresh_in_blender_looks_down_with_its_top_to_the_north():
    down = axes.trajectory_pose(np.eye(4))
    assert np.array_equal(down[:3, 2], (0, 0, -1)), "forward"
    assert np.array_equal(down[:3, 1], (0, -1, 0)), "down in the picture"
    assert np.array_equal(down[:3, 0], (1, 0, 0)), "right"


def test_scale_of_the_object_goes_and_scale_of_the_scene_stays():
    unit = pose(rotation_y(0.4) @ rotation_x(0.3), (2, 4, 6))
    scaled = unit @ np.diag([0.5, 3, 2, 1])
    expected = axes.trajectory_pose(unit)
    expected[:3, 3] /= 100
    assert np.abs(axes.trajectory_pose(scaled, 0.01) - expected).max() < 1e-15


def test_there_and_back_for_one_pose_and_for_many():
    poses = np.array([pose(rotation_y(0.1 * i), (i, 2, 3)) for i in range(4)])
    assert np.abs(axes.trajectory_pose(axes.matrix_world(poses, 0.01), 0.01) - poses).max() < 1e-15
    assert axes.matrix_world(poses[2], 0.5).shape == (4, 4)
    assert np.array_equal(poses[1], pose(rotation_y(0.1), (1, 2, 3))), "the input is left alone"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.diag([1.0, -1, 1, 1]), "mirrored"),
        (np.diag([1.0, 0, 1, 1]), "not finite"),
        (np.diag([1.0, np.inf, 1, 1]), "not finite"),
        (np.array([[1.0, 0.5, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), "not a rotation"),
    ],
    ids=["mirrored", "flat", "infinite", "sheared"],
)
def test_a_matrix_that_is_no_camera_is_left_for_the_trajectory_to_refuse(wrong, says):
    with pytest.raises(RecamError, match=f"frame 1 .*{says}"):
        Trajectory(axes.trajectory_pose([np.eye(4), wrong, np.eye(4)]), LENS, 24)


def test_the_input_is_left_alone():
    matrix = 2 * np.eye(4)
    axes.trajectory_pose(matrix, 0.1)
    assert np.array_equal(matrix, 2 * np.eye(4))
