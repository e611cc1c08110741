"""What verify compares, that it can fail, and that the time step's rounding matters."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from recammaster_jobs import RELEASE
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from inference_server.cli.verify import MINIATURE
from inference_server.engines.recammaster import verify as verifying
from inference_server.engines.recammaster.verify import Check, expected_beside, verify
from inference_server.releases.layout import BASE, CHECKPOINT, WAN, find_release
from shared.errors import RecamError

EXPECTED = MINIATURE.parent / "expected.safetensors"
TILED = Path(__file__).parents[3] / "data/tiled/expected.safetensors"
CPU = torch.device("cpu")
NAMES = [
    "source_latents, relative",
    "context_pos, relative",
    "dit_out, relative",
    "dit_out as the engine runs it, relative",
]


@pytest.fixture
def release(tmp_path):
    """A copy of the miniature to be damaged."""
    return find_release(shutil.copytree(MINIATURE, tmp_path / "release"))


@pytest.fixture
def rewritten(tmp_path):
    """The miniature's expected file with tensors and metadata changed."""

    def write(change) -> Path:
        tensors = load_file(EXPECTED)
        with safe_open(EXPECTED, "pt") as file:
            said = file.metadata()
        change(tensors, said)
        save_file(tensors, tmp_path / "expected.safetensors", said)
        return tmp_path / "expected.safetensors"

    return write


def over(checks) -> list[str]:
    return [check.name for check in checks if not check.good]


def test_a_really_tiled_clip_is_within_every_bound():
    """272 x 464, which is 2 x 2 tiles; in float32, where the bounds are sharp."""
    checks = [*verify(RELEASE, TILED, CPU, [torch.float32])]
    assert len(checks) == 6 and over(checks) == []


def test_the_bounds_are_only_met_with_the_time_step_that_the_public_code_takes(monkeypatch):
    exact = verifying.model_time
    monkeypatch.setattr(verifying, "model_time", lambda time, rounded: exact(time, False))
    bf16 = [*verify(RELEASE, EXPECTED, CPU, [torch.bfloat16])]
    assert over(bf16) == [f"bf16 {name}" for name in NAMES[2:]]
    monkeypatch.setattr(verifying, "model_time", lambda time, rounded: exact(time, True))
    fp32 = [*verify(RELEASE, EXPECTED, CPU, [torch.float32])]
    assert over(fp32) == [f"fp32 {name}" for name in NAMES[2:]]


@pytest.mark.parametrize(
    ("file", "name", "seen_at"),
    [
        (CHECKPOINT, "blocks.1.self_attn.v.weight", NAMES[2]),
        (CHECKPOINT, "blocks.0.cam_encoder.weight", NAMES[2]),
        (CHECKPOINT, "blocks.1.projector.bias", NAMES[2]),
        (f"{WAN}/Wan2.1_VAE.pth", "encoder.conv1.bias", NAMES[0]),
        (f"{WAN}/models_t5_umt5-xxl-enc-bf16.pth", "blocks.0.attn.q.weight", NAMES[1]),
        (f"{WAN}/Wan2.1_VAE.pth", "decoder.head.2.bias", "frames_u8, largest difference"),
    ],
)
def test_one_tensor_that_is_a_little_off_is_seen(release, file, name, seen_at):
    tensors = torch.load(release.path / file, weights_only=True)
    tensors[name] = tensors[name] * 1.1
    torch.save(tensors, release.path / file)
    checks = verify(release, EXPECTED, CPU, [torch.float32])
    assert next(check.name for check in checks if not check.good) == f"fp32 {seen_at}"


def test_no_number_is_no_good_number():
    assert not Check("x", float("nan"), 1.0).good
    assert Check("x", 1.0, 1.0).good and not Check("x", 1.1, 1.0).good


def test_a_file_that_lacks_something_is_named(rewritten):
    def drop(tensors, said):
        del tensors["bf16.dit_out"], said["seed"]

    with pytest.raises(RecamError) as caught:
        [*verify(RELEASE, rewritten(drop), CPU)]
    assert caught.value.code == "expected_broken"
    assert caught.value.sentence.endswith("expected.safetensors lacks bf16.dit_out, seed.")


@pytest.mark.parametrize("make", ["missing", "weights", "text", "cut"])
def test_another_file_is_named(tmp_path, make):
    file = tmp_path / "other.safetensors"
    if make == "weights":
        shutil.copy(MINIATURE / BASE, file)
    elif make == "text":
        file.write_text("no tensors at all")
    elif make == "cut":
        file.write_bytes(EXPECTED.read_bytes()[:5000])
    with pytest.raises(RecamError) as caught:
        [*verify(RELEASE, file, CPU)]
    assert caught.value.code == "expected_broken" and str(file) in caught.value.sentence
    assert len(caught.value.sentence) < 400


def test_the_numbers_of_another_release_are_told_apart(rewritten):
    def widen(tensors, said):
        tensors["fp32.context_pos"] = torch.zeros(1, 512, 4096)

    with pytest.raises(RecamError) as caught:
        [*verify(RELEASE, rewritten(widen), CPU)]
    assert caught.value.code == "expected_broken"
    assert "another release" in caught.value.sentence and "4096" in caught.value.sentence


def test_where_the_expected_file_is_looked_for(tmp_path, release):
    assert expected_beside(MINIATURE) == EXPECTED
    with pytest.raises(RecamError) as caught:
        expected_beside(release.path)
    assert caught.value.code == "expected_missing"
    shutil.copy(EXPECTED, tmp_path)
    assert expected_beside(release.path) == tmp_path / EXPECTED.name
    shutil.copy(EXPECTED, release.path)
    assert expected_beside(release.path) == release.path / EXPECTED.name
    merged = release.path / "merged.safetensors"
    merged.touch()
    assert expected_beside(merged) == release.path / EXPECTED.name
