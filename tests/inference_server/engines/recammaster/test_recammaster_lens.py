from __future__ import annotations

import numpy as np
import pytest
from worlds import as_picture, psnr, wall, wide

from inference_server.engines.recammaster.lens import TOLERANCE, plan_lens
from inference_server.engines.recammaster.picture import plan_framing
from shared.cameras.lens import crop as cropped
from shared.cameras.pose import pose, rotation_x, rotation_y
from shared.errors import RecamError

SIZE = (320, 192)
LENS = wide(*SIZE)
START = pose(rotation_y(0.1) @ rotation_x(-0.05), (0.2, 0.1, 0.3))
FRAMING = plan_framing(*SIZE)


def plan(targets, mode="refuse", poses=None, source=LENS, distance=4.0):
    targets = np.atleast_2d(targets)
    poses = np.repeat(START[None], len(targets), 0) if poses is None else np.array(poses)
    return plan_lens(np.repeat(source[None], len(targets), 0), targets, mode, distance, poses)


def longer(times, shift=(0.0, 0.0)):
    return LENS * (times, times, 1, 1) + (0, 0, *shift)


@pytest.mark.parametrize("shift", [(0, 0), (0.1, -0.2), (-0.25, 0.05)])
def test_a_longer_or_shifted_lens_is_an_exact_crop(shift):
    target = longer(2.2, shift)
    result = plan(target)
    frame = as_picture(wall(START, LENS, *SIZE, fine=4.0))
    truth = wall(START, target, *SIZE, fine=4.0)
    take = FRAMING.to_clip(frame, result.crops[0])
    assert psnr(take, truth, np.s_[4:-4, 4:-4]) > 48
    assert (result.poses == START).all()
    assert any("2.2 times enlarged" in remark for remark in result.remarks)


def test_crops_are_the_lens_modules_own():
    rng = np.random.default_rng(0)
    sources = LENS * rng.uniform(0.9, 1.1, (20, 4))
    boxes = np.hstack([rng.uniform(0, 0.5, (20, 2)), rng.uniform(0.2, 0.5, (20, 2))])
    targets = np.array([cropped(s, *box) for s, box in zip(sources, boxes, strict=True)])
    result = plan_lens(sources, targets, "refuse", 4.0, np.repeat(START[None], 20, 0))
    assert np.abs(result.crops - boxes).max() < 1e-12


def test_the_same_lens_is_the_whole_picture():
    result = plan([LENS] * 3)
    assert (result.crops == (0, 0, 1, 1)).all() and result.remarks == ()
    frame = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    assert (FRAMING.to_clip(frame, result.crops[0]) == frame).all()


def test_rounding_is_not_a_shorter_lens():
    result = plan(longer(1 - TOLERANCE))
    assert result.remarks == () and np.abs(result.crops - (0, 0, 1, 1)).max() < 1e-9
    with pytest.raises(RecamError):
        plan(longer(1 - 4 * TOLERANCE))


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ([LENS, longer(0.8), longer(0.6)], "frames 1 to 2 .* at frame 2 it sees 81.2 x 54.4 deg"),
        ([longer(0.6), LENS], "frame 0 the"),
        ([longer(1.5, (0.3, 0))], "and is shifted"),
    ],
)
def test_a_lens_that_shows_more_is_refused(targets, said):
    with pytest.raises(RecamError, match=said) as raised:
        plan(targets)
    assert raised.value.code == "lens" and "outpaint" in raised.value.hint


@pytest.mark.parametrize("target", [longer(0.6), longer(1.5, (0.3, 0.1)), longer(1, (0, -0.1))])
def test_stepping_back_shows_as_much_at_the_subject(target):
    straight = pose(position=(0.2, 0.1, 0))  # the wall 4 m away faces the camera
    result = plan(target, "outpaint", [straight])
    back = result.poses[0]
    frame = as_picture(wall(back, LENS, *SIZE, fine=4.0))
    take = FRAMING.to_clip(frame, result.crops[0])
    truth = wall(straight, target, *SIZE, fine=4.0)
    assert psnr(take, truth, np.s_[4:-4, 4:-4]) > 36
    step = straight[2, 3] - back[2, 3]
    assert f"back by up to {step:.3g} m" in result.remarks[0]
    # No farther than need be: the picture is used up to one of its edges at least.
    left, top, width, height = result.crops[0]
    assert min(left, top, 1 - left - width, 1 - top - height) < 1e-9


def test_the_step_back_of_a_centred_lens_follows_the_subject():
    poses = [START @ pose(position=(0, 0, z)) for z in (0, 1, 2, 2)]
    targets = [longer(0.5), longer(0.5), longer(0.8), longer(2)]
    result = plan(targets, "outpaint", poses)
    steps = [np.linalg.norm(p[:3, 3] - q[:3, 3]) for p, q in zip(poses, result.poses, strict=True)]
    # d (f_source / f_target - 1), with the subject 4 m from the first pose
    assert np.allclose(steps, [4 * 1, 3 * 1, 2 * 0.25, 0])
    assert "frames 0 to 2" in result.remarks[0] and "2 times enlarged" in result.remarks[1]
    assert np.allclose(result.crops[:3], (0, 0, 1, 1))
    assert np.allclose(result.crops[3], (0.25, 0.25, 0.5, 0.5))


def test_no_step_back_helps_an_axis_outside_the_picture():
    source = LENS * (1, 1, 0, 1) + (0, 0, -0.1, 0)
    with pytest.raises(RecamError, match="does not help"):
        plan(longer(0.5), "outpaint", source=source)
