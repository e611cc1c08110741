"""The projection engine at 854x480: frames a second, corners of a board, pictures of a texture."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from shared.cameras.pose import look_at, pose, rotation_x, rotation_y

from .clips import pictures
from .figures import Figure

sys.path.insert(0, str(Path(__file__).parents[1] / "inference_server" / "engines"))
import worlds
from test_projection_plane import CORNER_CASES, board, board_corners

SIZE = (854, 480)
LENS = worlds.wide(*SIZE)
FRAMES = 48
PAN, TILT = pose(rotation_y(0.2)), pose(rotation_x(0.15))
STAND = worlds.STRAIGHT

# Where each move ends; it goes there in equal steps. The lens, and whether depth is given.
MOVES = {
    "identity": (lambda s: STAND, 1.0, False),
    "pan": (lambda s: pose(rotation_y(0.3 * s)), 1.0, False),
    "longer lens": (lambda s: STAND, 1.6, False),
    "dolly out": (lambda s: pose(position=(0, 0, -2 * s)), 1.0, False),
    "arc": (lambda s: look_at((2 * s, 0, 0.5 * s), (0, 0, 4)), 1.0, False),
    "arc, depth given": (lambda s: look_at((1.0 * s, 0, 0.1 * s), (0, 0, 4)), 1.0, True),
}


def run() -> list[Figure]:
    """Speed alone, without decoding and encoding; accuracy against formulas."""
    clip = pictures(*SIZE, FRAMES)
    speeds = [
        Figure(
            f"projection, {name}",
            _speed(clip, *move),
            "frames/s",
            least=None if name == "arc, depth given" else 24,
        )
        for name, move in MOVES.items()
    ]
    return [
        *speeds,
        Figure("board corners, worst of pan, tilt and lens", _worst_corner(), "px", most=0.05),
        *(
            Figure(f"texture of six pixels a wave, {name}", _psnr(move), "dB", least=38)
            for name, move in (("pan", PAN), ("tilt", TILT))
        ),
    ]


def _speed(clip, path, zoom, with_depth) -> float:
    poses = [path(step / (FRAMES - 1)) for step in range(FRAMES)]
    source = worlds.camera([STAND] * FRAMES, LENS)
    target = worlds.camera(poses, LENS * (zoom, zoom, 1, 1))
    settings = {"depth": [_depth()] * FRAMES} if with_depth else {}
    began = time.perf_counter()
    worlds.shoot(clip, source, target, settings)
    return FRAMES / (time.perf_counter() - began)


def _depth() -> np.ndarray:
    """A ball before a wall, in metres."""
    x, y = np.meshgrid(np.linspace(-1.6, 1.6, SIZE[0]), np.linspace(-0.9, 0.9, SIZE[1]))
    ball = np.clip(0.25 - x**2 - y**2, 0, None)
    return np.where(ball > 0, 3.5 - np.sqrt(ball), 5).astype(np.float32)


def _worst_corner() -> float:
    """Largest error of a found corner, in pixels along either side."""
    source, worst = board(STAND, LENS, *SIZE), 0.0
    for move, lens in CORNER_CASES.values():
        frame, _ = worlds.reshoot(source, LENS, move, lens)
        true, home = board_corners(move, lens, *SIZE), board_corners(STAND, LENS, *SIZE)
        inside = ((true > 12) & (true < np.array(SIZE) - 13)).all(axis=1)
        inside &= ((home > 20) & (home < np.array(SIZE) - 21)).all(axis=1)
        found = cv2.cornerSubPix(
            cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY),
            true[inside].astype(np.float32)[:, None].copy(),
            (9, 9),
            (-1, -1),
            (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 100, 1e-4),
        )[:, 0]
        worst = max(worst, float(np.abs(found - true[inside]).max()))
    return worst


def _psnr(move: np.ndarray) -> float:
    source = worlds.as_picture(worlds.wall(STAND, LENS, *SIZE, fine=200))
    frame, _ = worlds.reshoot(source, LENS, move)
    truth = worlds.wall(move, LENS, *SIZE, fine=200)
    return float(worlds.psnr(frame, truth, worlds.in_source(move, LENS, *SIZE, rim=5)))
