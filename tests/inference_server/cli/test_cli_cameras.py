"""The uses of the model that need no path: which cameras they ask for."""

from __future__ import annotations

import argparse
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from inference_server.cli.cameras import add_arguments, shot_of
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.recam_json import write_shot
from shared.cameras.trajectory import Shot, Trajectory
from shared.errors import RecamError

FRAMES, RATE = 50, Fraction(25)
INFO = SimpleNamespace(frames=FRAMES, rate=RATE, width=160, height=90)
LENS = lens_from_focal(35.0, 36.0, 16 / 9)


def asked(*arguments) -> Shot:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.set_defaults(clip=SimpleNamespace(name="clip.mp4"), first=0, frames=None)
    return shot_of(parser.parse_args([*map(str, arguments)]), INFO)


@pytest.fixture
def shaken() -> Trajectory:
    """A camera that walks ahead and shakes."""
    smooth = make_move("orbit", FRAMES, RATE, LENS, values={"angle": 20})
    poses = smooth.poses.copy()
    poses[:, :3, 3] += 0.05 * np.random.default_rng(3).normal(size=(FRAMES, 3))
    return Trajectory(poses, LENS, RATE)


@pytest.fixture
def solve(shaken, tmp_path):
    """The file of that camera, as a solve of the clip gives it."""
    write_shot(tmp_path / "solve.json", Shot(shaken))
    return tmp_path / "solve.json"


def shake(camera: Trajectory) -> float:
    return float(np.abs(np.diff(camera.poses[:, :3, 3], 2, axis=0)).mean())


def test_a_shaken_camera_is_steadied_against_itself(solve, shaken):
    shot = asked("--use", "stabilise:0.5", "--camera", solve)
    assert np.allclose(shot.source_camera.poses, shaken.poses)
    assert shake(shot.trajectory) < shake(shaken) / 5
    assert np.allclose(shot.trajectory.poses[[0, -1]], shaken.poses[[0, -1]])
    longer = asked("--use", "stabilise", "--camera", solve)
    assert shake(longer.trajectory) < shake(shot.trajectory)


def test_a_shaken_camera_is_made_to_stand(solve, shaken):
    shot = asked("--use", "stabilise:static", "--camera", solve)
    assert np.allclose(shot.trajectory.poses, shaken.poses[0])
    assert np.allclose(shot.source_camera.poses, shaken.poses)


def test_a_file_of_two_cameras_has_the_one_that_shot_the_clip(shaken, tmp_path):
    around = make_move("orbit", FRAMES, RATE, LENS, values={"angle": -40})
    write_shot(tmp_path / "shot.json", Shot(around, shaken, 7.0))
    shot = asked("--use", "stabilise:static", "--camera", tmp_path / "shot.json")
    assert np.allclose(shot.source_camera.poses, shaken.poses) and shot.subject_distance == 7


@pytest.mark.parametrize(("use", "metres"), [("super-resolution:2", 3.0), ("outpaint:2", -6.0)])
def test_closer_and_farther_go_by_the_subject(use, metres):
    shot = asked("--use", use, "--subject", 6)
    assert shot.source_camera is None and shot.subject_distance == 6
    assert np.allclose(shot.trajectory.poses[0], np.eye(4))
    assert np.allclose(shot.trajectory.poses[-1, :3, 3], [0, 0, metres])


def test_closer_follows_the_camera_that_shot_the_clip(solve, shaken):
    shot = asked("--use", "super-resolution", "--camera", solve)
    assert np.allclose(shot.source_camera.poses, shaken.poses)
    moved = np.linalg.norm((shot.trajectory.poses - shaken.poses)[:, :3, 3], axis=1)
    assert np.allclose(moved[[0, -1]], [0, 4 * (1 - 1 / 1.5)])


@pytest.mark.parametrize(
    ("words", "subject", "end"),
    [
        ("crane:1.5", 6, (0, -1.5, 0)),
        ("crane:-1.5", 4, (0, 1.5, 0)),
        ("dolly:1.5", 6, (0, 0, 1.5)),
        ("dolly:7", 4, (0, 0, 7)),
        ("dolly:2,ease_in=1,ease_out=1", 4, (0, 0, 2)),
        ("zoom_in,strength=0.5", 8, (0, 0, 2 * 160 / 161)),
        ("zoom_in:0.5", 8, (0, 0, 2 * 160 / 161)),
        ("static", 4, (0, 0, 0)),
    ],
)
def test_ways_are_in_metres_and_presets_scale_with_the_subject(words, subject, end):
    shot = asked("--camera", words, "--subject", subject)
    assert np.allclose(shot.trajectory.poses[-1, :3, 3], end)
    assert len(shot.trajectory) == FRAMES


def test_a_hand_is_asked_for_with_how_far_it_sways():
    shot = asked("--camera", "handheld:0.02,turn=0,seed=3")
    assert np.allclose(shot.trajectory.poses[0], np.eye(4))
    assert 0 < np.abs(shot.trajectory.poses[:, 0, 3]).max() < 0.08
    assert np.allclose(shot.trajectory.poses[:, :3, :3], np.eye(3))


def test_an_ease_is_heard():
    z = asked("--camera", "dolly:2,ease_in=1").trajectory.poses[:, 2, 3]
    assert z[1] - z[0] < (z[-1] - z[-2]) / 10


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("crane", "metres"),
        ("handheld", "sway"),
        ("orbit:30,ease_in", "ease_in"),
        ("orbit:30,wide=3", "wide"),
        ("orbit:30,ease_in=7", "between 0 and 1"),
        ("static:3", "lacks a number|has no"),
        ("smooth", "stabilise"),
        ("dolly:3,,", "dolly"),
    ],
)
def test_what_a_move_lacks_is_said(words, says):
    with pytest.raises(RecamError, match=says):
        try:
            asked("--camera", words)
        except RecamError as error:
            raise RecamError(error.code, str(error)) from None
