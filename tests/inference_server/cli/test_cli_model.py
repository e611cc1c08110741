"""``recam verify``, ``recam bench`` and ``recam calibrate``, with the miniature release."""

from __future__ import annotations

import builtins
import re
import shutil
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from takes import write_clip

from inference_server.cli import main
from inference_server.cli.verify import MINIATURE
from inference_server.engines import paces
from inference_server.engines.recammaster import bench, calibrate
from inference_server.engines.recammaster.networks import Networks
from inference_server.engines.recammaster.shortcuts import Shortcuts, calibrated
from inference_server.model.camera_transformer import CameraTransformer
from inference_server.releases.layout import CHECKPOINT, find_release
from inference_server.releases.modules import load_transformer, load_vae

COMMANDS = (
    ["verify"],
    ["bench", "--random-weights"],
    ["calibrate", "clip.mp4", "--releases", str(MINIATURE)],
)


@pytest.fixture
def recam(capsys):
    """Run ``recam …`` here; exit status, what it said, what it said of errors."""

    def run(*words) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def clock(monkeypatch):
    """Time for calibrate: passes of the model, so that fewer steps are quicker for certain."""
    passes, forward = [], CameraTransformer.forward

    def counting(self, target, *given, **more):
        if not target.is_meta:  # the estimate of the memory takes no time
            passes.append(1)
        return forward(self, target, *given, **more)

    monkeypatch.setattr(CameraTransformer, "forward", counting)
    told = SimpleNamespace(perf_counter=lambda: float(len(passes)))
    monkeypatch.setattr(calibrate, "time", told)


def test_verify_prints_each_error_beside_its_bound(recam):
    status, said, _ = recam("verify", "--device", "cpu")
    first, *checks, last = said.splitlines()
    assert status == 0 and last == "All within their bounds."
    assert first.startswith(f"{MINIATURE} on cpu, PyTorch {torch.__version__}, against expected")
    figures = [re.fullmatch(r"  (.+?) {2,}(\S+)  bound (\S+)", line).groups() for line in checks]
    assert all(float(error) <= float(bound) for _, error, bound in figures)
    each = ["source_latents", "context_pos", "dit_out", "dit_out as the engine runs it"]
    assert [name for name, *_ in figures] == [
        *(f"fp32 {name}, relative" for name in each),
        "fp32 frames_u8, largest difference",
        "fp32 frames_u8, share that differs",
        *(f"bf16 {name}, relative" for name in each),
        "bf16 frames_u8, mean difference",
    ]
    bounds = {name: bound for name, _, bound in figures}
    assert {bounds[f"fp32 {name}, relative"] for name in each} == {"2e-05"}
    assert bounds["fp32 frames_u8, share that differs"] == "0.001"


def test_verify_of_a_release_that_is_off_ends_with_1(recam, tmp_path):
    release = shutil.copytree(MINIATURE, tmp_path / "release")
    tensors = torch.load(release / CHECKPOINT, weights_only=True)
    tensors["blocks.0.self_attn.v.weight"] *= 1.5
    torch.save(tensors, release / CHECKPOINT)
    expected = MINIATURE.parent / "expected.safetensors"
    status, said, _ = recam("verify", release, "--expected", expected, "--device", "cpu")
    assert status == 1 and said.endswith("Not all within their bounds.\n")
    over = [line.split("  ")[1] for line in said.splitlines() if line.endswith("OVER THE BOUND")]
    assert over[:2] == ["fp32 dit_out, relative", "fp32 dit_out as the engine runs it, relative"]
    assert not any("context" in name or "source" in name for name in over)


def test_verify_takes_a_release_by_name_and_by_folder(recam, tmp_path, monkeypatch):
    installed = shutil.copytree(MINIATURE, tmp_path / "releases/mine")
    beside = shutil.copytree(MINIATURE, tmp_path / "here/beside")
    (tmp_path / "here/mine").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for name, folder in (("mine", installed), (installed, installed), ("beside", beside)):
        _, _, error = recam("verify", name, "--releases", tmp_path / "releases")
        assert f"no expected.safetensors in {folder} or" in error
    _, _, error = recam("verify", "nowhere", "--releases", tmp_path / "releases")
    assert "Installed there: mine." in error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", "/nowhere/at all"], "There is no /nowhere/at all."),
        (["verify", "nowhere"], "There is no release 'nowhere'."),
        (["verify", "--expected", "nothing.safetensors"], "nothing.safetensors cannot be read"),
        (["verify", "--device", "abacus"], "PyTorch cannot compute on 'abacus'"),
        (["bench", "--random-weights", "--size", "480x832"], "480x832 is no size"),
        (["bench", "--random-weights", "--size", "480x830x81"], "480x830x81 is no size"),
        (["bench", "--random-weights", "--size", "480x832x0"], "480x832x0 is no size"),
        (["calibrate", "nothing.mp4", "--releases", "nowhere"], "nothing.mp4"),
    ],
)
def test_what_cannot_be_done_is_said(recam, words, said):
    status, _, error = recam(*words)
    assert status == 1 and said in error and error.startswith("recam: ")


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_missing_package_is_named(recam, words, monkeypatch):
    there = builtins.__import__

    def without(name, *given):
        if name.startswith("engines.recammaster"):
            raise ModuleNotFoundError("No module named 'diffusers'", name="diffusers")
        return there(name, *given)

    monkeypatch.setattr(builtins, "__import__", without)
    status, _, error = recam(*words)
    assert status == 1
    assert "diffusers is not installed" in error and ".[model]" in error


def test_bench_prints_steps_speed_and_a_take(recam, monkeypatch, tmp_path):
    """Of the miniature's networks: the public size takes minutes on a CPU."""
    release = find_release(MINIATURE)

    def miniature(device, dtype):
        return Networks(
            partial(load_transformer, release), partial(load_vae, release), device, dtype
        )

    monkeypatch.setattr(bench, "random_networks", miniature)
    monkeypatch.setenv("RECAM_STATE", str(tmp_path))
    words = ["--size", "64x64x1", "--steps", "1", "--mode", "offload", "--device", "cpu"]
    status, said, _ = recam("bench", "--random-weights", *words)
    assert status == 0 and said.startswith("64 x 64, 1 frames, offload, on the CPU")
    figures = dict(re.findall(r"^(.+?) {2,}(\S+)", said, re.M))
    step, speed = float(figures["seconds a step"]), float(figures["speed"])
    config = load_transformer(release).config
    counted = 2 * bench.operations(config, 64, 64)[-1][1]
    assert float(figures["operations a step"]) == pytest.approx(counted, rel=1e-3)
    assert step > 0 and speed >= 0
    assert {"attention kernel", "share of a product", "a take of 50 steps"} <= figures.keys()
    assert "share of the peak" not in figures, "no data sheet knows this CPU"
    kept = paces.seconds_for("recammaster on server's processor, offload", counted)
    assert kept == pytest.approx(step, abs=1e-3), "what the server's estimates begin with"


def test_bench_counts_operations_saving_by_saving(recam, monkeypatch):
    monkeypatch.setattr(bench, "FULL", {**bench.FULL, "num_layers": 2})
    status, said, _ = recam("bench", "--random-weights", "--operations", "--size", "480x832x81")
    counts = [(float(c), float(s)) for c, s in re.findall(r" (\S+)  (\S+)$", said, re.M)]
    assert status == 0 and len(counts) == 4
    assert counts == sorted(counts, reverse=True) and counts[0][1] == 1
    # By hand: 65,520 tokens; a block's attention is 4 n^2 d, its four products 8 n d^2.
    n, d, blocks = 65_520, 1536, 2
    attention, products = 4 * n * n * d, 8 * n * d * d + 4 * n * d * 8960
    text = 4 * n * 512 * d + 4 * n * d * d  # queries and output; keys and values are few
    projector = 2 * n * d * d
    naive = blocks * (attention + products + text + projector)
    assert counts[0][0] == pytest.approx(naive, rel=2e-3)
    saved = counts[2][0] - counts[3][0]
    assert saved == pytest.approx((blocks - 0.5) * projector, rel=1e-3)


def test_calibrate_tries_prints_and_keeps_the_best(recam, tmp_path, monkeypatch, clock):
    monkeypatch.setenv("RECAM_STATE", str(tmp_path))
    clip = write_clip(tmp_path / "clip.mp4", 5, 64, 64)
    tried = [Shortcuts("unipc", 2, 1.0, 0.0), Shortcuts("unipc", 9, 1.0, 0.0)]
    monkeypatch.setattr(calibrate, "CANDIDATES", tried)
    given = [clip, "--releases", MINIATURE, "--steps", "3", "--device", "cpu"]
    status, said, _ = recam("calibrate", *given, "--psnr", "1")
    assert status == 0
    exact, two, kept = said.splitlines()
    assert exact.startswith("exact, 3 steps") and "100 %" in exact
    assert two.startswith("2 unipc steps") and "67 %" in two and two.endswith(" dB")
    assert kept.startswith("Fast quality is now 2 unipc steps, kept in ")
    assert calibrated(find_release(MINIATURE)) == tried[0]
