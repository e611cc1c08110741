"""The picture is right: against direct renders of a textured plane, and to parts of a pixel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from worlds import (
    STRAIGHT,
    as_picture,
    camera,
    in_source,
    meet_plane,
    psnr,
    reshoot,
    shoot,
    wall,
    wide,
)

from shared.cameras import lens as lenses
from shared.cameras.pose import look_at, pose, rotation_x, rotation_y

SIZES = {"480p": (854, 480), "vertical": (270, 480), "odd": (317, 181)}
MOVES = {
    "pan": pose(rotation_y(0.2)),
    "pan back": pose(rotation_y(-0.35)),
    "tilt": pose(rotation_x(0.15)),
    "pan and tilt": pose(rotation_y(0.1) @ rotation_x(-0.1)),
    "dolly in": pose(position=(0, 0, 1.5)),
    "dolly out": pose(position=(0, 0, -1.0)),
    "truck": pose(position=(0.81, -0.3, 0)),
    "arc": look_at((2, 0, 0.5), (0, 0, 4)),
}


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_textured_plane_looks_as_if_filmed_directly(move, size):
    lens = wide(*size)
    fine = 11 * size[0] * lens[0] / 830  # as many waves per pixel at every size
    source = as_picture(wall(STRAIGHT, lens, *size, fine=fine))
    frame, report = reshoot(source, lens, move)
    inside = in_source(move, lens, *size)
    assert psnr(frame, wall(move, lens, *size, fine=fine), inside) > 45
    truth = 1 - in_source(move, lens, *size, rim=0).mean()
    assert report["unseen_share"] == pytest.approx(truth, abs=2e-3)
    assert report["unseen_share_worst"] == pytest.approx(truth, abs=2e-3)


@pytest.mark.parametrize("move", ["pan", "tilt"])
def test_texture_of_six_pixels_a_wave_survives_pan_and_tilt(move):
    size, lens = (854, 480), wide(854, 480)
    source = as_picture(wall(STRAIGHT, lens, *size, fine=200))  # 2 pi / 200 m at 4 m and 830 pixels
    frame, _ = reshoot(source, lens, MOVES[move])
    truth = wall(MOVES[move], lens, *size, fine=200)
    assert psnr(frame, truth, in_source(MOVES[move], lens, *size, rim=5)) > 38


def board(pose_, lens, width, height, square=0.3):
    """A checker board with edges about a source pixel soft, as a good lens films it."""
    x, y, _ = meet_plane(pose_, lens, width, height)
    soft = np.pi / square * 1.2 * 4 / (LENS[0] * width)
    light = 125 + 85 * np.prod([np.tanh(np.sin(np.pi * a / square) / soft) for a in (x, y)], axis=0)
    return as_picture(np.repeat(light[..., None], 3, axis=2))


def board_corners(pose_, lens, width, height, square=0.3):
    """Where the corners are, in pixels counted from the middle of the first one."""
    n = np.arange(-5, 6) * square
    points = np.stack([*np.meshgrid(n, n), np.full((11, 11), 4.0)], axis=-1).reshape(-1, 3)
    seen = (points - pose_[:3, 3]) @ pose_[:3, :3] @ lenses.matrix(lens, width, height).T
    return seen[:, :2] / seen[:, 2:] - 0.5


LENS = wide(854, 480)
CORNER_CASES = {
    "pan": (pose(rotation_y(0.15)), LENS),
    "tilt": (pose(rotation_x(-0.1)), LENS),
    "longer lens": (STRAIGHT, LENS * (1.7, 1.7, 1, 1)),
    "shorter lens": (STRAIGHT, LENS * (0.7, 0.7, 1, 1)),
    "crop off the middle": (STRAIGHT, lenses.crop(LENS, 0.15, 0.2, 0.6, 0.6)),
    "pan with another lens": (pose(rotation_y(0.1)), LENS * (1.3, 1.3, 1, 1)),
}


@pytest.mark.parametrize(("move", "lens"), CORNER_CASES.values(), ids=CORNER_CASES)
def test_board_corners_lie_within_a_twentieth_of_a_pixel(move, lens):
    size = (854, 480)
    frame, _ = reshoot(board(STRAIGHT, LENS, *size), LENS, move, lens)
    true = board_corners(move, lens, *size)
    home = board_corners(STRAIGHT, LENS, *size)
    keep = ((true > 12) & (true < np.array(size) - 13)).all(axis=1)
    keep &= ((home > 20) & (home < np.array(size) - 21)).all(axis=1)
    assert keep.sum() > 20
    found = cv2.cornerSubPix(
        cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY),
        true[keep].astype(np.float32)[:, None].copy(),
        (9, 9),
        (-1, -1),
        (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-4),
    )[:, 0]
    assert np.abs(found - true[keep]).max() < 0.05


def test_a_moving_source_camera_is_taken_frame_by_frame():
    size, lens = (320, 180), wide(320, 180)
    path = [pose(rotation_y(a), (0.1 * k, 0, 0)) for k, a in enumerate((0.0, 0.05, 0.1))]
    pictures = [as_picture(wall(p, lens, *size, distance=4.0, fine=5)) for p in path]
    # The plane faces each source pose: only a target that turns about it is exact.
    targets = [p @ pose(rotation_y(0.08)) for p in path]
    frames, _ = shoot(pictures, camera(path, lens), camera(targets, lens))
    for frame, target, home in zip(frames, targets, path, strict=True):
        inside = in_source(np.linalg.inv(home) @ target, lens, *size)
        assert psnr(frame, wall(target, lens, *size, fine=5), inside) > 45


def test_the_subject_distance_sets_how_far_things_move():
    size, lens = (320, 180), wide(320, 180)
    move = pose(position=(0.5, 0, 0))
    source = as_picture(wall(STRAIGHT, lens, *size, distance=7, fine=3))
    frame, _ = reshoot(source, lens, move, settings={"subject_distance": 7})
    inside = in_source(move, lens, *size, distance=7)
    assert psnr(frame, wall(move, lens, *size, distance=7, fine=3), inside) > 45
    wrong, _ = reshoot(source, lens, move)
    assert psnr(wrong, wall(move, lens, *size, distance=7, fine=3), inside) < 30


def test_a_camera_beyond_the_plane_or_turned_away_sees_nothing():
    size, lens = (160, 90), wide(160, 90)
    picture = as_picture(wall(STRAIGHT, lens, *size, fine=3))
    for move in (pose(position=(0, 0, 5)), pose(rotation_y(np.pi)), pose(rotation_y(1.5))):
        frame, report = reshoot(picture, lens, move)
        assert report["unseen_share"] == 1
        assert np.abs(frame - picture.mean(axis=(0, 1))).max() < 2
