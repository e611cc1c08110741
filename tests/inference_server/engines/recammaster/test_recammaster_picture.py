from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from inference_server.engines.recammaster.picture import plan_framing
from inference_server.engines.recammaster.sizes import PIXEL_BUDGET
from inference_server.engines.recammaster.upscale import UPSCALERS
from shared.errors import RecamError

PUBLIC = load_file(Path(__file__).parents[3] / "data" / "preprocess_64x96.safetensors")
SMALL_BUDGET = 208 * 120
SIZES = [(480, 270), (270, 480), (180, 101), (360, 270), (500, 300), (1024, 540), (403, 166)]
WHOLE = (0, 0, 1, 1)


def smooth(width: int, height: int, crop=WHOLE) -> np.ndarray:
    """A picture with a formula, of which ``crop`` is shown; it changes slowly and everywhere."""
    u = crop[0] + crop[2] * (np.arange(width) + 0.5) / width
    v = crop[1] + crop[3] * (np.arange(height) + 0.5) / height
    u, v = np.meshgrid(u, v)
    values = np.stack([np.sin(9 * u + 2 * v), np.cos(7 * v - 3 * u), np.sin(5 * u) * np.cos(6 * v)])
    return np.rint(128 + 110 * values.transpose(1, 2, 0)).astype(np.uint8)


def made(framing, frame) -> np.ndarray:
    """The model gives back what it was given."""
    values = framing.to_model(frame)
    assert values.dtype == np.float32 and values.shape == (3, *framing.model[::-1])
    assert values.min() >= -1 and values.max() <= 1
    return np.rint((values.transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)


@pytest.mark.parametrize("name", [name[3:] for name in PUBLIC if name.startswith("in.")])
def test_fill_shows_the_model_what_the_public_script_does(name):
    frame = PUBLIC[f"in.{name}"]
    framing = plan_framing(frame.shape[1], frame.shape[0], "fill", "96x64")
    assert np.abs(framing.to_model(frame) - PUBLIC[f"out.{name}"]).max() <= 1e-6


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["fit", "fill", "crop"])
def test_a_frame_through_the_model_and_back_lies_where_it_lay(size, mode):
    framing = plan_framing(*size, mode, pixel_budget=SMALL_BUDGET)
    frame = smooth(*size)
    take = framing.to_clip(made(framing, frame))
    assert take.shape == (*framing.take[::-1], 3) and take.dtype == np.uint8
    (left, top), (width, height) = framing.part, framing.take
    difference = np.abs(take.astype(int) - frame[top : top + height, left : left + width])
    if mode == "fill":
        # Beyond what the model saw is a blur.
        assert abs((difference > 4).mean() - framing.unseen_share) < 0.02
        difference = difference[height // 8 : -height // 8, width // 8 : -width // 8]
    assert difference.max() <= 4


@pytest.mark.parametrize(
    "size", [(1920, 1080), (4096, 2160), (500, 300), (64, 64), (3000, 100), (33, 3000)]
)
def test_the_size_that_is_chosen(size):
    framing = plan_framing(*size)
    width, height = framing.model
    assert width % 16 == height % 16 == 0 and min(width, height) >= 64
    assert width * height <= PIXEL_BUDGET
    assert framing.scaled[0] <= min(width, size[0]) and framing.scaled[1] <= min(height, size[1])
    # No other size within the budget holds the frame larger.
    ratio = min(width / size[0], height / size[1], 1)
    for w in range(64, PIXEL_BUDGET // 64, 16):
        h = PIXEL_BUDGET // w // 16 * 16
        assert min(w / size[0], h / size[1], 1) <= ratio + 1e-12


def test_known_sizes():
    def auto(*size, **more):
        return plan_framing(*size, **more).model

    assert auto(1920, 1080) == auto(1280, 720) == auto(832, 480) == (832, 480)
    assert auto(1080, 1920) == (480, 832)
    assert auto(320, 240) == (320, 240) and auto(500, 300) == (512, 304)
    assert auto(720, 576, sample_aspect=Fraction(64, 45)) == (832, 480)
    assert auto(1920, 1080, pixel_budget=1920 * 1088) == (1920, 1088)


def test_a_frame_that_is_not_scaled_is_not_touched():
    frame = np.random.default_rng(0).integers(0, 256, (300, 500, 3), dtype=np.uint8)
    for size in ("auto", "512x304"):
        framing = plan_framing(500, 300, size=size)
        assert framing.remarks == ()
        assert (framing.to_clip(made(framing, frame)) == frame).all()
    framing = plan_framing(496, 288, "fill")
    assert framing.remarks == () and framing.unseen_share == 0
    assert (framing.to_clip(made(framing, frame[:288, :496])) == frame[:288, :496]).all()


def test_what_multiples_of_16_leave_over_repeats_the_edge():
    frame = smooth(500, 300)
    seen = made(plan_framing(500, 300), frame)
    assert (seen[2:302, 6:506] == frame).all()
    assert (seen[:2, 6:506] == frame[:1]).all() and (seen[2:302, 506:] == frame[:, -1:]).all()


def test_squeezed_pixels_are_square_for_the_model():
    # A circle on the screen: 1.5 times as high as wide in the clip's own pixels.
    y, x = np.mgrid[:300, :300] - 149.5
    ring = np.where((1.5 * x) ** 2 + y**2 < 120**2, 255, 0).astype(np.uint8)
    frame = np.repeat(ring[..., None], 3, axis=2)
    framing = plan_framing(300, 300, sample_aspect=Fraction(3, 2))
    disc = made(framing, frame)[..., 0] > 127
    assert abs(disc.any(0).sum() / disc.any(1).sum() - 1) < 0.02
    take = framing.to_clip(made(framing, frame))
    assert take.shape == frame.shape and np.abs(take.astype(int) - frame).mean() < 1
    assert any("1.5 times as wide" in remark for remark in framing.remarks)


@pytest.mark.parametrize("mode", ["fit", "fill", "crop"])
@pytest.mark.parametrize("crop", [(0.25, 0.3, 0.4, 0.4), (0.1234, 0.4, 0.5, 0.3)])
def test_a_crop_is_cut_and_scaled_in_one(mode, crop):
    framing = plan_framing(640, 360, mode, "320x192")
    take = framing.to_clip(made(framing, smooth(640, 360)), crop)
    whole = smooth(640, 360, crop)
    (left, top), (width, height) = framing.part, framing.take
    difference = np.abs(take.astype(int) - whole[top : top + height, left : left + width])
    assert difference.max() <= 3


def test_fill_blurs_what_the_model_did_not_see():
    rng = np.random.default_rng(1)
    frame = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8) // 2
    frame[:150] += 100
    framing = plan_framing(300, 300, "fill", "192x96")
    take = framing.to_clip(made(framing, frame)).astype(int)
    assert framing.unseen_share == pytest.approx(0.5, abs=0.01)
    assert any("50.0 %" in remark for remark in framing.remarks)
    strips = take[:74], take[-74:]
    for strip, beside in zip(strips, (take[80:130], take[-130:-80]), strict=True):
        assert np.abs(strip.mean((0, 1)) - beside.mean((0, 1))).max() < 12
        fine = [np.abs(np.diff(part, axis=1)).mean() for part in (strip, beside)]
        assert fine[0] < 0.2 * fine[1]


def test_what_the_artist_is_told():
    said = " ".join(plan_framing(1920, 1080).remarks)
    assert said == (
        "The model works at 832 x 480; the take is scaled up 2.31 times to 1920 x 1080 (Lanczos)."
    )
    cropped = plan_framing(1920, 1080, "crop", scale_up="cubic")
    assert cropped.take == (1872, 1080) and cropped.unseen_share == 0
    assert "(Cubic)" in cropped.remarks[0] and "1872 x 1080 of 1920 x 1080" in cropped.remarks[1]
    assert "scaled down 2 times" in plan_framing(416, 240, size="832x480").remarks[0]


def test_a_filter_can_join(monkeypatch):
    seen = []

    def nearest(frame, box, size):
        seen.append((frame.shape, box, size))
        return np.full((size[1], size[0], 3), 7, np.uint8)

    monkeypatch.setitem(UPSCALERS, "nearest", nearest)
    framing = plan_framing(1920, 1080, scale_up="nearest")
    assert (framing.to_clip(np.zeros((480, 832, 3), np.uint8)) == 7).all()
    assert seen == [((480, 832, 3), (0, 6, 832, 474), (1920, 1080))]


@pytest.mark.parametrize(
    ("size", "wrong", "nearest"),
    [
        ("830x480", "multiples of 16", "832 x 480"),
        ("816x481", "multiples of 16", "816 x 480"),
        ("1920x1088", "pixels", "832 x 480"),
        ("1920x1080", "pixels", "832 x 480"),
        ("480x16", "at least 64", "480 x 64"),
        ("0x0", "at least 64", "64 x 64"),
        ("99999x16", "pixels", "6240 x 64"),
    ],
)
def test_an_impossible_size(size, wrong, nearest):
    with pytest.raises(RecamError, match=wrong) as raised:
        plan_framing(1920, 1080, size=size)
    assert raised.value.code == "size" and nearest in raised.value.hint
    plan_framing(1920, 1080, size=nearest.replace(" ", ""))


@pytest.mark.parametrize("size", ["", "big", "832", "832x480x81", "axb"])
def test_no_size(size):
    with pytest.raises(RecamError, match="no size"):
        plan_framing(1920, 1080, size=size)
