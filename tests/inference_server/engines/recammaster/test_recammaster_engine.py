"""Jobs from settings and frames to takes, with the miniature release: its pictures are noise."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
import torch
from recammaster_jobs import RELEASE, differ, path_over, pictures, render, standing
from takes import write_clip
from worlds import Frames

from inference_server.engines.base import Cancelled
from inference_server.engines.projection import ProjectionEngine
from inference_server.engines.recammaster import reckoning, takes
from inference_server.model.coder import to_uint8
from inference_server.reshoot import reshoot
from inference_server.video.probe import probe
from inference_server.video.reader import Reader
from shared.cameras.pose import pose
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.twelve import twelve
from shared.errors import RecamError

CITY = Path(__file__).parents[3] / "clips/cityCC0.mpg"  # 720 x 405, cuts at its frame 116


class Counted:
    """A clip that counts the frames that are read of it."""

    def __init__(self, clip) -> None:
        self.width, self.height, self.frames, self.rate = (
            clip.width,
            clip.height,
            clip.frames,
            clip.rate,
        )
        self.clip, self.read = clip, 0

    def __iter__(self):
        for frame in self.clip:
            self.read += 1
            yield frame


def shoot(clip: Path, out: Path, first: int = 0, frames: int | None = None, **more) -> dict:
    """One step with ``reshoot``, from file to files."""
    path = path_over(Reader(clip, first, frames))
    settings = {"steps": 1, "short": "public", "cuts": "ignore", **more.pop("settings", {})}
    given = {"engine": "recammaster", "releases": RELEASE.path, "first": first}
    return reshoot([clip], Shot(path, standing(path)), out, settings=settings, **given, **more)


def quiet(*_) -> None:
    """Hears no progress."""


def live_bytes() -> int:
    """Of all tensors that Python can reach."""
    gc.collect()
    storages = {
        t.untyped_storage().data_ptr(): t.untyped_storage().nbytes()
        for t in gc.get_objects()
        if issubclass(type(t), torch.Tensor) and not t.is_meta
    }
    return sum(storages.values())


@pytest.fixture(scope="module")
def take(engine, usual):
    """The take of ``usual`` with the default settings and one step."""
    ((frames, _),) = render(engine, usual)
    return frames


@pytest.mark.parametrize(
    ("frames", "width", "height", "settings"),
    [
        (1, 64, 64, {"short": "hold"}),
        (2, 66, 90, {}),
        (17, 64, 64, {}),
        (9, 64, 64, {"every": 2}),
        (100, 64, 64, {}),
    ],
    ids=["one", "vertical, not in 16ths", "public", "every second", "two windows"],
)
def test_a_take_has_the_clip_s_frames_and_size(tmp_path, frames, width, height, settings):
    clip = write_clip(tmp_path / "clip.mp4", frames, width, height)
    result = shoot(clip, tmp_path / "take.mp4", settings=settings)
    (take,) = result["takes"]
    info = probe(tmp_path / "take.mp4")
    assert (info.frames, info.width, info.height) == (frames, width, height)
    assert take["frames"] == frames and take["content_size"] == [width, height]
    report = take["report"]
    assert report["seed"] == 0 and report["release"] == "release"
    assert report["memory"] == "resident" and report["sampling"].startswith("1 euler step")
    assert any("held" in remark for remark in result["remarks"]) == (settings == {"short": "hold"})


def test_an_odd_size_gains_no_pixel(engine):
    ((frames, rendering),) = render(engine, pictures(2, 67, 71))
    assert frames.shape == (2, 71, 67, 3) == (2, rendering.height, rendering.width, 3)


def test_each_shot_of_a_clip_with_a_cut_is_rendered_by_itself(engine, tmp_path):
    settings = {"size": "64x64"}
    out = tmp_path / "take.mp4"
    result = shoot(CITY, out, 114, 5, settings={"cuts": "separate", **settings})
    assert (result["takes"][0]["frames"], probe(out).frames) == (5, 5)
    assert any("at frame 2:" in remark for remark in result["remarks"])
    both = Reader(CITY, 114, 5)
    ((together, _),) = render(engine, both, cuts="separate", **settings)
    path = path_over(both)
    for first, count in ((0, 2), (2, 3)):
        part = slice(first, first + count)
        own = Trajectory(path.poses[part], path.lenses[part], path.rate)
        source = Trajectory.standing(path.poses[0], path.lenses[0], path.rate, count)
        clip = Reader(CITY, 114 + first, count)
        ((alone, _),) = render(engine, clip, cameras=(source, own), **settings)
        assert differ(together[part], alone) == 0


def test_the_transformer_receives_the_shot_s_twelve_numbers(engine, monkeypatch):
    clip = pictures(81)
    path, given = path_over(clip, "tilt_up"), []
    source = Trajectory.standing(pose(position=(0.1, -0.2, 0.3)), path.lenses[0], path.rate, 81)
    _, networks, _ = engine._load("")
    encoder = networks.transformer.blocks[0].attn1.cam_encoder
    hook = encoder.register_forward_hook(lambda layer, inputs, out: given.append(inputs[0]))
    try:
        path_settings = {"cameras": (source, path), "subject_distance": 8.0}
        ((frames, rendering),) = render(engine, clip, **path_settings)
    finally:
        hook.remove()
    expected = twelve(Shot(path, source))
    expected[:, 3::4] /= 2  # as if the subject, 8 m away, were at 4 m
    assert len(frames) == 81 and len(given) == 1, "made once for both prompts and all steps"
    assert np.abs(given[0].numpy() - np.concatenate([expected, expected])).max() < 1e-6
    assert np.abs(np.array(rendering.report["camera"]) - expected).max() < 1e-6


def test_another_path_another_prompt_and_another_clip_give_another_take(engine, usual, take):
    assert differ(render(engine, usual)[0][0], take) == 0, "the same again"
    path = path_over(usual, "pan_right")
    others = {
        "path": render(engine, usual, cameras=(standing(path), path)),
        "prompt": render(engine, usual, prompt="a man in the rain"),
        "seed": render(engine, usual, seed=1),
        "clip": render(engine, pictures(5, seed=9)),
        "negative prompt": render(engine, usual, negative_prompt="rain"),
        "exact time": render(engine, usual, round_time_step=False, steps=2),
    }
    for name, ((frames, _),) in others.items():
        assert differ(frames, take) > 0.01, name


def test_takes_are_the_jobs_of_the_next_seeds_and_the_clip_is_read_once(engine, usual):
    clip = Counted(usual)
    both = render(engine, clip, takes=2, seed=3)
    assert clip.read == 5
    assert [rendering.report["seed"] for _, rendering in both] == [3, 4]
    for seed, (frames, _) in zip((3, 4), both, strict=True):
        ((alone, _),) = render(engine, usual, seed=seed)
        assert differ(frames, alone) == 0
    assert differ(both[0][0], both[1][0]) > 1
    clip = Counted(Reader(CITY, 114, 4))
    render(engine, clip, takes=2, cuts="separate", size="64x64")
    assert clip.read == 8, "once for its cuts, once for the model"


def test_a_projection_or_a_take_to_start_from_is_heeded(engine, usual, take):
    path = path_over(usual)
    (thrown,) = ProjectionEngine().render(usual, standing(path), path, {}, quiet, bool)
    projected = Frames([*thrown.frames], usual.rate)
    near = {"denoising_strength": 0.01, "shift": 1, "seed": 1}
    ((by_name, _),) = render(engine, usual, start="projection", **near)
    ((sent, _),) = render(engine, usual, start_clip=projected, **near)
    assert differ(by_name, sent) == 0
    ((other_noise, _),) = render(engine, usual, start="projection", **{**near, "seed": 2})
    ((other_start, _),) = render(engine, usual, start_clip=pictures(5, seed=9), **near)
    assert differ(by_name, other_noise) < 4 < 10 < differ(by_name, other_start)
    assert differ(take, by_name) > 10


def test_a_start_of_another_size_lies_where_the_clip_does(engine):
    """70 x 60 is seen in its own scale in the middle of 80 x 64; so is a start twice as large."""
    clip = pictures(1, 70, 60)
    clip.pictures = [np.full((60, 70, 3), 255, np.uint8)]
    clip.pictures[0][10:50, 20:50] = 0
    double = pictures(1, 140, 120)
    double.pictures = [clip.pictures[0].repeat(2, 0).repeat(2, 1)]
    settings = {"denoising_strength": 0.01, "steps": 1}
    same, large = (render(engine, clip, start_clip=s, **settings)[0][0] for s in (clip, double))
    assert differ(same, large) < 1


@pytest.mark.parametrize(
    ("source", "words"), [("noise", "text to video"), ("first_frame", "image to video")]
)
def test_without_the_clip_the_artist_is_told_what_to_expect(engine, usual, take, source, words):
    ((frames, rendering),) = render(engine, usual, source=source)
    (said,) = (remark for remark in rendering.remarks if "not trained" in remark)
    assert words in said and "poor" in said
    assert differ(frames, take) > 0.01
    ((other, _),) = render(engine, pictures(5, seed=9), source=source)
    assert (differ(frames, other) == 0) == (source == "noise")


def test_framing_is_the_artist_s_choice(engine):
    clip = pictures(1, 128, 64)
    ((_, fit),) = render(engine, clip, framing="fit")
    ((_, fill),) = render(engine, clip, framing="fill", size="64x64")
    ((frames, crop),) = render(engine, clip, framing="crop", size="64x64")
    assert [(r.width, r.height) for r in (fit, fill, crop)] == [(128, 64), (128, 64), (64, 64)]
    assert frames.shape == (1, 64, 64, 3)
    assert fit.report["model_size"] == "128 x 64" and fill.report["model_size"] == "64 x 64"
    assert any("blur" in remark for remark in fill.remarks)


def test_a_longer_lens_crops_a_shorter_one_is_refused_or_outpainted(engine):
    clip = pictures(2)
    path = path_over(clip)
    source = standing(path)

    def through(times: float) -> Trajectory:
        return Trajectory(path.poses, path.lenses * [times, times, 1, 1], path.rate)

    ((frames, longer),) = render(engine, clip, cameras=(source, through(2)))
    ((whole, _),) = render(engine, clip, cameras=(source, path))
    assert any("longer than the clip's" in remark for remark in longer.remarks)
    small = whole[:, 16:48, 16:48]
    assert differ(frames[:, 1::2, 1::2] // 2 + frames[:, ::2, ::2] // 2, small) < differ(
        frames, whole
    )
    with pytest.raises(RecamError) as caught:
        render(engine, clip, cameras=(source, through(0.5)))
    assert caught.value.code == "lens" and "outpaint" in caught.value.hint
    ((_, back),) = render(engine, clip, cameras=(source, through(0.5)), lens="outpaint")
    assert any("steps back" in remark for remark in back.remarks)
    assert back.report["camera"][0][11] == pytest.approx(-4)


def test_without_guidance_nothing_negative_is_embedded_or_run(engine, usual, monkeypatch):
    _, networks, prompts = engine._load("")
    asked, batches = [], []
    embed = prompts.embed_all
    monkeypatch.setattr(prompts, "embed_all", lambda texts: asked.append(texts) or embed(texts))
    hook = networks.transformer.register_forward_pre_hook(
        lambda module, given: batches.append(len(given[0]))
    )
    try:
        render(engine, usual, guidance=1, prompt="a man")
        render(engine, usual, guidance=5, prompt="a man", negative_prompt="rain")
    finally:
        hook.remove()
    assert asked == [["a man"], ["a man", "rain"]]
    assert batches == [1, 2]


def test_a_cancel_at_any_stage_ends_the_job_and_gives_its_memory_back(engine, take, usual):
    before, settings = live_bytes(), {"cuts": "separate", "steps": 2}
    for stage in ("looking for cuts", "reading the clip", "denoising", "writing the take"):
        now = []
        with pytest.raises(Cancelled):
            render(
                engine,
                usual,
                lambda *told, now=now: now.append(told[2]),
                lambda now=now, stage=stage: now[-1] == stage,
                **settings,
            )
        assert now[-1] == stage
        assert live_bytes() <= before, stage
    assert differ(render(engine, usual)[0][0], take) == 0, "the next job"


def test_progress_goes_up_to_the_whole_and_says_what_is_done(engine):
    clip, told = Reader(CITY, 114, 4), []
    settings = {"cuts": "separate", "size": "64x64", "takes": 2, "steps": 2}
    render(engine, clip, lambda *step: told.append(step), **settings)
    counted = [step[:2] for step in told if step[1]]
    assert counted == sorted(counted) and counted[-1][0] == counted[-1][1]
    doing = list(dict.fromkeys(step[2] for step in told))
    assert doing == [
        "looking for cuts",
        "loading the weights",
        "reading the prompt",
        "reading the clip",
        "denoising",
        "writing the take",
    ]


@pytest.mark.parametrize(
    "settings",
    [{"source": "noise"}, {"start": "projection", "denoising_strength": 0.5}, {"every": 2}],
    ids=lambda settings: next(iter(settings)),
)
def test_what_is_not_read_or_rendered_is_not_counted(engine, usual, settings):
    told = []
    render(engine, usual, lambda *step: told.append(step), **settings)
    assert told[-1][0] == told[-1][1] > 0
    assert sum(step[0] == step[1] for step in told) == 1


def test_a_very_long_prompt_is_cut_with_a_remark_and_one_beyond_reason_refused(engine, usual):
    prompt = "a man in the rain " * 556
    assert 10_000 < len(prompt) < 10_010
    ((_, rendering),) = render(engine, usual, prompt=prompt)
    assert any("512 tokens" in remark for remark in rendering.remarks)
    with pytest.raises(RecamError) as caught:
        render(engine, usual, prompt="x" * 20_001)
    assert caught.value.code == "prompt_too_long" and "20,001" in caught.value.sentence


@pytest.mark.parametrize("name", ["proj_out", "decoder.conv_out", "encoder.conv_in"])
def test_a_result_that_is_no_numbers_is_an_error_and_not_a_take(engine, usual, take, name):
    _, networks, _ = engine._load("")
    network = networks.transformer if name == "proj_out" else networks.vae
    bias = network.get_submodule(name).bias
    right = bias.clone()
    bias[0] = float("nan")
    try:
        with pytest.raises(RecamError) as caught:
            render(engine, usual)
    finally:
        bias.copy_(right)
    assert caught.value.code == "result_broken" and "recam verify" in caught.value.hint
    assert differ(render(engine, usual)[0][0], take) == 0, "the next job"


def test_a_release_that_is_not_there_is_named(engine, usual):
    with pytest.raises(RecamError) as caught:
        render(engine, usual, release="other")
    assert caught.value.code == "weights_missing"
    assert "'other'" in caught.value.sentence and "Installed there: release." in caught.value.hint


def test_a_former_take_is_not_enlarged_twice(engine, usual):
    path = path_over(usual)
    longer = Trajectory(path.poses, path.lenses * [1.5, 1.5, 1, 1], path.rate)
    with pytest.raises(RecamError) as caught:
        render(
            engine,
            usual,
            cameras=(standing(path), longer),
            start_clip=usual,
            denoising_strength=0.5,
        )
    assert caught.value.code == "start_clip"


def test_a_path_that_starts_far_from_where_the_clip_was_shot_is_told(engine, usual):
    path = path_over(usual)
    turned = Trajectory(path.poses @ pose(position=(0.5, 0, 0)), path.lenses, path.rate)

    def told(target: Trajectory) -> list[str]:
        ((_, rendering),) = render(engine, usual, cameras=(standing(path), target))
        return [remark for remark in rendering.remarks if "from where the clip was shot" in remark]

    assert told(path) == []
    (said,) = told(turned)
    assert "0.5 m" in said and "0 degrees" in said


def test_a_frame_that_ran_out_of_memory_is_made_again(engine, usual, take, monkeypatch):
    calls = []

    def short_of_memory_once(frame):
        calls.append(frame)
        if len(calls) == 4:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return to_uint8(frame)

    monkeypatch.setattr(takes, "to_uint8", short_of_memory_once)
    ((again, rendering),) = render(engine, usual)
    assert rendering.report["memory"] == "offload"
    assert differ(again, take) == 0


def test_hours_on_a_cpu_are_told_before_the_wait(engine, usual, monkeypatch):
    def told() -> list[str]:
        ((_, rendering),) = render(engine, usual)
        return [remark for remark in rendering.remarks if "No GPU" in remark]

    assert told() == []
    monkeypatch.setattr(reckoning, "CPU_SPEED", 1e4)
    (said,) = told()
    assert "hours" in said and "projection" in said
