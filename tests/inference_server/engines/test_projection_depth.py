"""Thrown onto depth: agrees with the plane, finds the nearest thing, knows what it never saw."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from safetensors.numpy import save_file
from worlds import (
    STRAIGHT,
    as_picture,
    camera,
    in_source,
    psnr,
    rays,
    reshoot,
    shoot,
    wall,
    waves,
    wide,
)

from inference_server.engines.projection import open_depth
from shared.cameras.pose import look_at, pose, rotation_x, rotation_y
from shared.errors import RecamError

SIZE = (426, 240)
LENS = wide(*SIZE)


def constant(metres, size=SIZE):
    return np.full(size[::-1], metres, np.float32)


@pytest.mark.parametrize(
    "move",
    [
        pose(position=(0.6, 0.1, 0)),
        pose(rotation_y(0.1) @ rotation_x(0.05), (0.2, -0.3, 0.8)),
        pose(position=(0, 0, -1.5)),
        look_at((2, 0.2, 0.7), (0, 0, 4)),
        pose(position=(0, 0, 5)),
    ],
    ids=["truck", "all at once", "dolly out", "arc", "beyond"],
)
@pytest.mark.parametrize("size", [SIZE, (181, 317)], ids=["wide", "vertical and odd"])
def test_a_constant_depth_is_the_plane(move, size):
    lens = wide(*size)
    source = as_picture(wall(STRAIGHT, lens, *size, fine=20))
    plane, told = reshoot(source, lens, move)
    frame, report = reshoot(source, lens, move, settings={"depth": [constant(4, size)]})
    assert report["unseen_share"] == pytest.approx(told["unseen_share"], abs=1e-3)
    difference = np.abs(frame.astype(int) - plane)[in_source(move, lens, *size)]
    if not difference.size:
        assert np.ptp(frame, axis=(0, 1)).max() == 0
        return
    assert np.mean(difference > 2) < 2e-3
    assert difference.mean() < 0.15


def room(pose_, size=SIZE, lens=LENS):
    """A floor 1.2 m below, a wall 6 m ahead, and a card 2.5 m ahead: picture, z, what is seen.

    z: metres along the first camera's axis. what: 0 floor, 1 wall, 2 card; point: ``(h, w, 3)``.
    """
    direction = rays(pose_, lens, *size)
    eye = pose_[:3, 3]
    with np.errstate(divide="ignore"):
        reach = [
            (1.2 - eye[1]) / direction[..., 1],
            (6 - eye[2]) / direction[..., 2],
            (2.5 - eye[2]) / direction[..., 2],
        ]
    card = eye + reach[2][..., None] * direction
    misses = (np.abs(card[..., 0]) > 0.5) | (np.abs(card[..., 1]) > 0.45)
    reach = np.stack([np.where(reach[0] > 0, reach[0], np.inf), reach[1], reach[2]])
    reach[2][misses] = np.inf
    what = reach.argmin(axis=0)
    point = eye + reach.min(axis=0)[..., None] * direction
    colours = [
        waves(point[..., 0], point[..., 2], 5),
        waves(point[..., 0], point[..., 1], 4),
        255 - waves(point[..., 0], point[..., 1], 12),
    ]
    return np.choose(what[..., None], colours), point[..., 2].astype(np.float32), what, point


def truly_unseen(move, size=SIZE, lens=LENS):
    """``(h, w)`` bool: hidden from the straight first camera, by the card or by its frame."""
    _, _, what, point = room(move)
    x = (lens[2] + lens[0] * point[..., 0] / point[..., 2]) * size[0]
    y = (lens[3] + lens[1] * point[..., 1] / point[..., 2]) * size[1]
    outside = (point[..., 2] <= 0) | (x < 0) | (y < 0) | (x > size[0]) | (y > size[1])
    at_card = point[..., :2] * (2.5 / point[..., 2:])
    behind = (what < 2) & (np.abs(at_card[..., 0]) < 0.5) & (np.abs(at_card[..., 1]) < 0.45)
    return outside | behind


def shrink(mask):
    """The mask without the pixels within two of its edge."""
    padded = np.pad(mask, 2)
    height, width = mask.shape
    shifts = [padded[i : i + height, j : j + width] for i in range(5) for j in range(5)]
    return np.all(shifts, axis=0)


@pytest.mark.parametrize(
    "move",
    [
        pose(position=(0.4, 0, 0)),
        pose(position=(-0.4, -0.2, 0.3)),
        pose(rotation_y(-0.1), (0.8, 0, 0)),
        pose(position=(0, -0.5, -0.8)),
    ],
    ids=["right", "left, up and in", "far right", "crane out"],
)
def test_a_room_with_a_card_in_it_looks_as_if_filmed_directly(move):
    picture, z, *_ = room(STRAIGHT)
    frame, report = reshoot(as_picture(picture), LENS, move, settings={"depth": [z]})
    truth, _, what, _ = room(move)
    unseen = truly_unseen(move)
    clear = np.any([shrink((what == k) & ~unseen) for k in range(3)], axis=0)
    assert clear.mean() > 0.4
    wrong = np.abs(frame - truth).max(axis=-1)[clear] > 12
    assert wrong.mean() < 5e-3
    assert psnr(frame, truth, clear) > 34
    assert report["unseen_share"] == pytest.approx(unseen.mean(), abs=0.025)


def two_planes():
    """A red card 2 m away before a green wall 4 m away, and their depth."""
    width, height = SIZE
    picture = np.full((height, width, 3), (20, 200, 40), np.uint8)
    z = constant(4)
    card = np.s_[80:160, 160:260]
    picture[card], z[card] = (220, 30, 30), 2
    return picture, z


@pytest.mark.parametrize(("step", "side"), [(0.2, "right"), (-0.2, "left")])
def test_the_hole_opens_on_the_side_the_camera_moves_to(step, side):
    picture, z = two_planes()
    frame, report = reshoot(picture, LENS, pose(position=(step, 0, 0)), settings={"depth": [z]})
    parallax = 0.2 * LENS[0] * SIZE[0] * (1 / 2 - 1 / 4)
    strip = 0.2 * LENS[0] * SIZE[0] / 4 * SIZE[1]  # what comes in at the edge of the picture
    expected = (parallax * 80 + strip) / (SIZE[0] * SIZE[1])
    assert report["unseen_share"] == pytest.approx(expected, abs=4e-3)
    shift = 0.2 * LENS[0] * SIZE[0] / 2
    red = frame[120, :, 0] > 130
    edges = np.flatnonzero(np.diff(red.astype(int)))
    first = 160 - np.sign(step) * shift
    assert edges[0] + 1 == pytest.approx(first, abs=1.6)
    assert edges[-1] + 1 == pytest.approx(first + 100, abs=1.6)
    # The hole is filled with what lies behind the card, not with the card.
    middle = (first + 100 + parallax / 2) if side == "right" else (first - parallax / 2)
    red, green, _ = frame[120, int(middle)].astype(int)
    assert green > 150 and red < 80


def test_a_thing_thinner_than_its_own_shift_hides_nothing_for_good():
    picture, z = two_planes()
    picture[:], z[:] = (20, 200, 40), 4
    picture[:, 200:204], z[:, 200:204] = (220, 30, 30), 2
    frame, _ = reshoot(picture, LENS, pose(position=(0.4, 0, 0)), settings={"depth": [z]})
    at = 202 - 0.4 * LENS[0] * SIZE[0] / 2
    row = frame[120, :380].astype(int)
    assert row[round(at - 0.5), 0] > 150
    far_from_it = np.abs(np.arange(380) - at) > 5
    assert (row[far_from_it, 1] > 120).all()


def test_unknown_depth_is_a_hole_and_far_depth_stands_still():
    width, height = SIZE
    picture = as_picture(wall(STRAIGHT, LENS, *SIZE, fine=5))
    z = constant(np.inf)
    frame, report = reshoot(picture, LENS, pose(position=(0.5, 0, 0)), settings={"depth": [z]})
    assert report["unseen_share"] == 0
    assert np.abs(frame.astype(int) - picture).max() <= 1
    for unknown in (np.nan, 0, -1):
        z[60:120, 100:200] = unknown
        _, report = reshoot(picture, LENS, pose(position=(0.5, 0, 0)), settings={"depth": [z]})
        assert report["unseen_share"] == pytest.approx(6000 / width / height, rel=0.1)
    _, report = reshoot(picture, LENS, pose(position=(0.5, 0, 0)), settings={"depth": [z * np.nan]})
    assert report["unseen_share"] == 1


def test_a_rough_depth_map_opens_no_holes():
    noise = np.random.default_rng(3).standard_normal(SIZE[::-1]).astype(np.float32)
    z = 4 * (1 + 0.2 * cv2.GaussianBlur(noise, (0, 0), 4))  # 1.4 %, as estimated depth is
    picture = as_picture(wall(STRAIGHT, LENS, *SIZE, fine=5))
    move = look_at((2, 0.2, 0.7), (0, 0, 4))
    frame, report = reshoot(picture, LENS, move, settings={"depth": [z]})
    smooth, told = reshoot(picture, LENS, move)
    assert report["unseen_share"] == pytest.approx(told["unseen_share"], abs=0.02)
    inside = in_source(move, LENS, *SIZE, rim=20)
    assert psnr(frame, smooth, inside) > 25


def slanted():
    """A wall ``z = 4 + x``, which a camera at the left of it sees from behind, and its depth."""
    direction = rays(STRAIGHT, LENS, *SIZE)
    z = 4 / (1 - direction[..., 0] / direction[..., 2])
    x, y = (direction[..., k] / direction[..., 2] * z for k in (0, 1))
    return as_picture(waves(x, y, 5)), z.astype(np.float32)


def test_a_slanted_wall_is_seen_from_its_face_and_never_from_behind():
    picture, z = slanted()
    before = look_at((2, 0, 1), (0, 0, 4))
    frame, report = reshoot(picture, LENS, before, settings={"depth": [z]})
    direction = rays(before, LENS, *SIZE)
    eye = before[:3, 3]
    reach = (4 + eye[0] - eye[2]) / (direction[..., 2] - direction[..., 0])
    point = eye + reach[..., None] * direction
    seen = (reach > 0) & (point[..., 2] > 0)
    for axis in (0, 1):
        place = LENS[2 + axis] + LENS[axis] * point[..., axis] / point[..., 2]
        seen &= (place > 0.01) & (place < 0.99)
    assert seen.mean() > 0.3
    assert psnr(frame, waves(point[..., 0], point[..., 1], 5), seen) > 45
    assert report["unseen_share"] == pytest.approx(1 - seen.mean(), abs=0.03)
    behind = look_at((-3, 0, 4), (0, 0, 4.2))
    _, report = reshoot(picture, LENS, behind, settings={"depth": [z]})
    assert report["unseen_share"] > 0.99


def test_depth_of_any_resolution_does():
    picture, z, *_ = room(STRAIGHT)
    move = pose(position=(0.3, 0, 0))
    fine, _ = reshoot(as_picture(picture), LENS, move, settings={"depth": [z]})
    rough, _ = reshoot(as_picture(picture), LENS, move, settings={"depth": [z[1::3, 1::3]]})
    assert np.mean(np.abs(fine.astype(int) - rough).max(axis=-1) > 25) < 0.06


def test_a_pan_needs_no_depth():
    picture = as_picture(wall(STRAIGHT, LENS, *SIZE))
    move = pose(rotation_y(0.2))
    plain, _ = reshoot(picture, LENS, move)
    frame, _ = reshoot(picture, LENS, move, settings={"depth": [constant(np.nan)]})
    assert (frame == plain).all()


@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_a_depth_file_is_read_frame_by_frame(tmp_path, kind):
    maps = np.stack([constant(4), constant(8), constant(2)]).astype(kind)
    save_file({"depth": maps}, tmp_path / "depth.safetensors")
    depth = open_depth(tmp_path / "depth.safetensors", 3)
    assert (depth(1) == maps[1]).all()
    picture = as_picture(wall(STRAIGHT, LENS, *SIZE, fine=5))
    source = camera([STRAIGHT] * 3, LENS)
    target = camera([pose(position=(0.5, 0, 0))] * 3, LENS)
    frames, _ = shoot([picture] * 3, source, target, {"depth": depth})
    for frame, metres in zip(frames, (4, 8, 2), strict=True):
        alone, _ = reshoot(
            picture, LENS, target.poses[0], settings={"subject_distance": float(metres)}
        )
        assert np.mean(np.abs(frame.astype(int) - alone) > 2) < 3e-3


def test_one_map_in_a_file_serves_every_frame(tmp_path):
    save_file({"depth": constant(4)[None]}, tmp_path / "depth.safetensors")
    depth = open_depth(tmp_path / "depth.safetensors", 200)
    assert (depth(150) == 4).all()


@pytest.mark.parametrize(
    ("tensors", "code", "words"),
    [
        ({"z": np.ones((3, 4, 4), np.float32)}, "depth_file", ["z", "depth"]),
        ({"depth": np.ones((4, 4), np.float32)}, "depth_file", ["(4, 4)"]),
        ({"depth": np.ones((3, 4, 4), np.int32)}, "depth_file", ["I32"]),
        ({"depth": np.ones((2, 4, 4), np.float32)}, "depth", ["2", "3"]),
    ],
)
def test_a_wrong_depth_file_is_refused_in_words(tmp_path, tensors, code, words):
    save_file(tensors, tmp_path / "d.safetensors")
    with pytest.raises(RecamError) as refused:
        open_depth(tmp_path / "d.safetensors", 3)
    assert refused.value.code == code
    assert all(word in str(refused.value) for word in words)


def test_a_file_that_is_none_is_refused_in_words(tmp_path):
    (tmp_path / "d.safetensors").write_bytes(b"no depth here")
    for name in ("d.safetensors", "missing.safetensors"):
        with pytest.raises(RecamError) as refused:
            open_depth(tmp_path / name, 3)
        assert refused.value.code == "depth_file"
        assert name in str(refused.value)
