"""A shot on its way to the model: latents and anchors, and what the model is told of the camera."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from recammaster_jobs import RELEASE, path_over, pictures

from inference_server.engines.base import Cancelled
from inference_server.engines.recammaster.job import plan_job
from inference_server.engines.recammaster.settings import Settings
from inference_server.engines.recammaster.shots import decode_shot, encode_shot, window_cameras
from inference_server.engines.recammaster.windows import plan_windows
from inference_server.model.coder import Coder
from inference_server.releases.modules import load_vae
from inference_server.video.reader import Reader
from shared.cameras.pose import pose, rotation_y
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.twelve import twelve
from shared.errors import RecamError

CITY = Path(__file__).parents[3] / "clips/cityCC0.mpg"  # cuts at its frame 116
EYE = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]


@pytest.fixture(scope="module")
def coder():
    return Coder(load_vae(RELEASE, torch.float32))


def frames(count: int) -> list[torch.Tensor]:
    return [*torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1]


def line(count: int, metres: float) -> np.ndarray:
    """Poses that go to the right by so much a frame."""
    return np.array([pose(position=(metres * n, 0, 0)) for n in range(count)])


def told(count: int, source: np.ndarray, path: np.ndarray, **settings) -> list[np.ndarray]:
    """The vectors that a job's windows are given, of all its shots."""
    clip = pictures(count)
    lens = path_over(clip).lenses[0]
    cameras = (Trajectory(poses, lens, clip.rate) for poses in (source, path))
    wanted = Settings.of({"cuts": "ignore", **settings})
    job = plan_job(clip, *cameras, wanted, lambda: False)
    return [camera[0].numpy() for shot in job.shots for camera in shot.cameras]


def test_of_one_window_the_vectors_are_those_of_the_shot():
    clip = pictures(81)
    path = path_over(clip)
    source = Trajectory.standing(pose(rotation_y(0.1), (0.2, 0, -1)), path.lenses[0], path.rate, 81)
    (camera,) = told(81, source.poses, path.poses)
    assert np.abs(camera - twelve(Shot(path, source))).max() < 1e-6
    (camera,) = told(81, source.poses, path.poses, reference="trajectory")
    assert np.abs(camera - twelve(Shot(path, source), "trajectory")).max() < 1e-6


def test_a_later_window_is_told_against_the_source_camera_at_its_first_frame():
    """The source goes 0.01 m a frame to the right, the path 0.03 m; both look ahead."""
    plan = plan_windows(120)
    assert [window.frames[:2] for window in plan.windows] == [(0, 4), (40, 44)]
    first, second = told(120, line(120, 0.01), line(120, 0.03))
    for at, number, frame, reference in (
        (first, 0, 0, 0),
        (first, 20, 80, 0),
        (second, 0, 40, 40),  # the anchor
        (second, 1, 44, 40),
        (second, 20, 119, 40),  # its latent ends on frame 120, which the clip does not have
    ):
        right = 0.03 * frame - 0.01 * reference
        assert at[number] == pytest.approx([*EYE[:3], right, *EYE[4:]], abs=1e-6)


def test_a_window_without_an_anchor_begins_at_its_own_first_frame():
    _, second = told(120, line(120, 0.01), line(120, 0.03), anchor=False)
    (start,) = plan_windows(120, anchor=False).windows[1].frames[:1]
    assert second[0][3] == pytest.approx(0.03 * start - 0.01 * start, abs=1e-6)


def test_the_reference_s_axes_are_the_model_s_axes():
    """The source looks to the right, along x: a step along x is one ahead for it."""
    quarter = pose(rotation_y(np.pi / 2))
    assert quarter[:3, 2] == pytest.approx([1, 0, 0])
    source = np.repeat(quarter[None], 81, axis=0)
    (camera,) = told(81, source, line(81, 0.05))
    assert camera[-1].reshape(3, 4)[:, 3] == pytest.approx([0, 0, 4.0], abs=1e-6)
    assert camera[0].reshape(3, 4)[:, :3] == pytest.approx(quarter[:3, :3].T, abs=1e-6)


def test_with_the_path_s_own_reference_all_windows_are_told_against_its_first_pose():
    path = line(120, 0.03)
    path[:, 0, 3] += 5
    first, second = told(120, line(120, 0.01), path, reference="trajectory")
    assert first[0] == pytest.approx(EYE)
    assert second[0][3] == pytest.approx(0.03 * 40, abs=1e-6)


def test_metres_are_told_as_if_the_subject_were_four_metres_away():
    (near,) = told(81, line(81, 0), line(81, 0.01), subject_distance=1.0)
    (far,) = told(81, line(81, 0), line(81, 0.01), subject_distance=16.0)
    assert (near[-1][3], far[-1][3]) == pytest.approx((0.8 * 4, 0.8 / 4))
    turned = np.array([pose(rotation_y(0.01 * n)) for n in range(81)])
    near, far = (told(81, line(81, 0), turned, subject_distance=d)[0] for d in (1.0, 16.0))
    assert np.array_equal(near, far), "a turn has no metres"


def test_of_every_second_frame_the_poses_go_along():
    (camera,) = told(161, line(161, 0), line(161, 0.01), every=2)
    assert camera[:, 3] == pytest.approx(0.01 * 2 * np.arange(0, 81, 4), abs=1e-6)


def test_a_held_clip_holds_its_last_pose():
    (camera,) = told(6, line(6, 0), line(6, 0.1))
    assert camera[:, 3] == pytest.approx([0, 0.4, *[0.5] * 19], abs=1e-6)


def test_outpainting_steps_back_from_the_reference_whichever_it_is():
    """Half the focal length: the camera stands at twice the subject's distance, 4 m farther."""
    clip = pictures(81)
    lens = path_over(clip).lenses[0]
    still = np.repeat(np.eye(4)[None], 81, axis=0)
    wide = Trajectory(still, [*lens[:2] / 2, *lens[2:]], clip.rate)
    source = Trajectory(still, lens, clip.rate)
    for reference in ("source", "trajectory"):
        wanted = Settings.of({"cuts": "ignore", "lens": "outpaint", "reference": reference})
        (shot,) = plan_job(clip, source, wide, wanted, lambda: False).shots
        back = shot.cameras[0][0].reshape(21, 3, 4)[:, :, 3]
        assert torch.allclose(back, torch.tensor([0.0, 0.0, -4.0]), atol=1e-5), reference


def test_each_shot_is_told_against_the_source_camera_at_its_first_frame():
    clip = Reader(CITY, 110, 12)
    lens = path_over(clip).lenses[0]
    source, path = (Trajectory(line(12, step), lens, clip.rate) for step in (0.01, 0.03))
    job = plan_job(clip, source, path, Settings.of({"short": "public"}), lambda: False)
    assert [(shot.first, shot.count) for shot in job.shots] == [(0, 6), (6, 6)]
    second = job.shots[1].cameras[0][0]
    assert second[:, 3].tolist() == pytest.approx([0.18 - 0.06, 0.30 - 0.06, 0.33 - 0.06])
    assert any("frame 6:" in remark for remark in job.remarks)
    with pytest.raises(RecamError) as caught:
        plan_job(clip, source, path, Settings.of({"cuts": "refuse"}), lambda: False)
    assert caught.value.code == "cut" and "frame 6 " in caught.value.sentence


@pytest.mark.parametrize(("count", "latents"), [(1, 1), (2, 2), (5, 2), (6, 3)])
def test_the_last_frame_is_held_to_fill_the_last_latent(coder, count, latents):
    shot, plan = frames(count), plan_windows(count, hold_short=False)
    row = encode_shot(coder, shot, plan)
    assert row.shape == (1, 16, latents, 2, 2) and row.dtype == torch.float32
    held = [*shot, *[shot[-1]] * (4 * (latents - 1) + 1 - count)]
    assert torch.equal(row, torch.cat([*coder.encode(held)], 2))


def test_anchors_are_single_frames_encoded_by_themselves(coder):
    shot, plan = frames(90), plan_windows(90)
    row = encode_shot(coder, iter(shot), plan)
    assert plan.anchors == (12,) and row.shape[2] == plan.latents + 1
    assert torch.equal(row[:, :, -1:], coder.encode_frame(shot[12]))
    assert torch.equal(row[:, :, :-1], torch.cat([*coder.encode([*shot, *[shot[-1]] * 3])], 2))


def test_a_stop_while_reading(coder):
    seen = []
    with pytest.raises(Cancelled):
        encode_shot(
            coder,
            frames(30),
            plan_windows(30, hold_short=False),
            on_latent=lambda: seen.append(1),
            should_stop=lambda: len(seen) == 3,
        )
    assert len(seen) == 3


def test_decoded_frames_come_one_by_one(coder):
    latents = torch.randn(1, 16, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    made = [*decode_shot(coder, latents)]
    assert [tuple(frame.shape) for frame in made] == [(3, 16, 16)] * 9
    assert torch.equal(made[0], next(decode_shot(coder, latents[:, :, :1])))


def test_references_are_held_with_the_poses():
    plan = plan_windows(100, anchor=False)
    poses = line(100, 0.01)
    cameras = window_cameras(plan, poses, poses, 4.0)
    for window, camera in zip(plan.windows, cameras, strict=True):
        frames_there = np.minimum(window.frames, 99)
        expected = 0.01 * (frames_there - frames_there[0])
        assert camera[0, :, 3].numpy() == pytest.approx(expected, abs=1e-6)
