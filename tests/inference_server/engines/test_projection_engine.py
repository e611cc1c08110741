"""The engine as the worker sees it: frames in, frames out, progress, cancel, settings, report."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from worlds import RATE, STRAIGHT, Frames, as_picture, camera, reshoot, shoot, wall, wide

from inference_server.engines.base import Cancelled
from inference_server.engines.projection import ProjectionEngine, fill, plane, sampling
from shared.cameras.pose import pose, rotation_y
from shared.errors import RecamError

SIZE = (161, 91)
LENS = wide(*SIZE)
MOVE = pose(rotation_y(0.2), (0.2, 0, -0.5))


def noise(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)


def render(clip, moves, settings=None, on_progress=lambda *_: None, should_stop=lambda: False):
    source = camera([STRAIGHT] * len(moves), LENS)
    target = camera(moves, LENS)
    (rendering,) = ProjectionEngine().render(
        clip, source, target, settings or {}, on_progress, should_stop
    )
    return rendering


def test_the_identity_returns_every_frame_as_it_was():
    pictures = [noise(seed) for seed in range(4)]
    path = [pose(rotation_y(0.1 * k), (k, 2, 3)) for k in range(4)]
    frames, report = shoot(pictures, camera(path, LENS), camera(path, LENS))
    assert all((frame == picture).all() for frame, picture in zip(frames, pictures, strict=True))
    assert report["unseen_share"] == 0
    frames, _ = shoot(pictures[:1], camera(path[:1], LENS), camera(path[:1], LENS), {"depth": [
        np.ones((9, 16))
    ]})  # fmt: skip
    assert (frames[0] == pictures[0]).all()


def test_without_its_short_cut_the_identity_is_the_same():
    picture = noise()
    sight = plane.sight(np.eye(3), *SIZE)
    inside = sight.hit & (sight.outside(*SIZE) <= 0)
    assert inside.all()
    frame = sampling.sample(picture, sight, inside, inside)
    assert np.abs(frame.astype(int) - picture).max() <= 1


def test_as_many_frames_come_out_as_go_in_each_with_its_progress():
    seen = []
    clip = Frames([noise(seed) for seed in range(5)])
    rendering = render(clip, [MOVE] * 5, on_progress=lambda *step: seen.append(step))
    frames = list(rendering.frames)
    assert (rendering.width, rendering.height) == SIZE
    assert [frame.shape for frame in frames] == [(91, 161, 3)] * 5
    assert all(frame.dtype == np.uint8 for frame in frames)
    assert seen == [(k, 5) for k in range(1, 6)]
    assert 0 < rendering.report["unseen_share"] < 1


def test_the_report_tells_the_mean_and_the_worst_share():
    frames = Frames([noise()] * 2)
    rendering = render(frames, [STRAIGHT, pose(rotation_y(np.pi))])
    list(rendering.frames)
    assert rendering.report["unseen_share"] == 0.5
    assert rendering.report["unseen_share_worst"] == 1
    assert "preview" in rendering.report["note"]
    assert any("50.0 %" in remark for remark in rendering.remarks)


def test_frames_are_made_one_by_one_and_let_go():
    given = []

    class Endless:
        width, height, frames, rate = *SIZE, 1000, RATE

        def __iter__(self):
            for seed in range(self.frames):
                frame = noise(seed)
                given.append(weakref.ref(frame))
                yield frame

    rendering = render(Endless(), [MOVE] * 1000)
    for _ in range(20):
        next(rendering.frames)
    gc.collect()
    assert len(given) == 20
    assert sum(frame() is not None for frame in given) <= 1


def test_it_stops_at_the_next_frame_when_told_to():
    stop = []
    rendering = render(Frames([noise()] * 5), [MOVE] * 5, should_stop=lambda: bool(stop))
    next(rendering.frames)
    stop.append(True)
    with pytest.raises(Cancelled):
        next(rendering.frames)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"steps": 20}, "setting", ["steps"]),
        ({"subject_distance": "4"}, "setting", ["subject_distance", "'4'"]),
        ({"subject_distance": True}, "setting", ["True"]),
        ({"subject_distance": 0}, "setting", ["0"]),
        ({"subject_distance": float("nan")}, "setting", ["nan"]),
        ({"depth": 3}, "depth", ["int"]),
        ({"depth": "clip.safetensors"}, "depth", ["str"]),
        ({"depth": [np.ones((4, 4))] * 2}, "depth", ["2", "3"]),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_read(settings, code, words):
    with pytest.raises(RecamError) as refused:
        render(Frames([noise()] * 3), [MOVE] * 3, settings)
    assert refused.value.code == code
    assert all(word in str(refused.value) for word in words)


@pytest.mark.parametrize("depth", [np.ones((3, 4, 4)), np.array([["a"]])])
def test_a_map_that_is_none_is_refused_with_its_frame(depth):
    with pytest.raises(RecamError, match="frame 1"):
        maps = [np.ones((4, 4)), depth]
        list(render(Frames([noise()] * 2), [MOVE] * 2, {"depth": lambda i: maps[i]}).frames)


@pytest.mark.parametrize("short", ["source", "trajectory"])
def test_cameras_of_another_length_are_refused_with_both_numbers(short):
    source, target = camera([STRAIGHT] * 3, LENS), camera([MOVE] * 3, LENS)
    few = camera([STRAIGHT] * 2, LENS)
    pair = (few, target) if short == "source" else (source, few)
    with pytest.raises(RecamError, match=rf"{short}.* 2 frames.* 3"):
        ProjectionEngine().render(Frames([noise()] * 3), *pair, {}, lambda *_: None, lambda: False)


def test_a_clip_that_ends_early_is_told():
    clip = Frames([noise()] * 2)
    clip.frames = 3
    with pytest.raises(RecamError, match="2 of 3"):
        list(render(clip, [MOVE] * 3).frames)


def test_the_fill_goes_on_from_the_picture_without_a_seam():
    size, lens = (426, 240), wide(426, 240)
    picture = as_picture(wall(STRAIGHT, lens, *size, fine=2))
    frame, _ = reshoot(picture, lens, pose(rotation_y(0.3)))
    assert np.abs(np.diff(frame.astype(int), axis=1)).max() <= 8


def test_the_fill_is_calm_and_its_colours_are_those_of_the_picture():
    picture = noise(size=(426, 240)) // 2 + 60
    frame, _ = reshoot(picture, wide(426, 240), pose(rotation_y(0.6)))
    filled = frame[:, 330:].astype(float)
    assert np.abs(np.diff(filled, axis=1)).max() <= 4
    assert np.abs(filled - picture.mean(axis=(0, 1))).max() < 15


def test_the_fill_does_not_flicker_when_the_camera_creeps():
    size, lens = (426, 240), wide(426, 240)
    picture = as_picture(wall(STRAIGHT, lens, *size, fine=20))
    moves = [pose(rotation_y(0.3 + 0.0005 * k)) for k in range(6)]
    frames, _ = shoot([picture] * 6, camera([STRAIGHT] * 6, lens), camera(moves, lens))
    fills = np.array([frame[:, 330:] for frame in frames], float)
    assert np.abs(np.diff(fills, axis=0)).max() <= 4


def test_what_lies_behind_fills_what_a_near_thing_uncovers():
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[:, :60], picture[:, 60:] = (250, 0, 0), (0, 0, 250)
    seen = np.ones((80, 120), bool)
    seen[:, 56:64] = False
    weight = np.ones((80, 120), np.float32)
    weight[:, :60] = 0.01
    red, _, blue = fill.continuation(picture, seen, weight, np.zeros(3))[40, 60].astype(int)
    assert blue > 200 and red < 50
