"""``recam weights add``: every layout that people have, and a self-trained checkpoint."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from release_layouts import (
    MINIATURE,
    TOKENIZER,
    as_diffusers,
    as_merged,
    as_public,
    as_recam,
    checkpoint,
    trained_part,
    with_checkpoint,
)
from safetensors.torch import save_file

from inference_server.cli import main
from inference_server.releases.layout import CHECKPOINT, NETWORKS, WAN, find_release
from inference_server.releases.modules import checked_tensors

QUERY = "blocks.0.attn1.to_q.weight"


@pytest.fixture
def weights(tmp_path, capsys):
    """Run ``recam weights …``; its exit status, and all it said."""

    def run(*words) -> tuple[int, str]:
        words = [str(word) for word in words]
        status = main(["weights", *words, "--releases", str(tmp_path / "releases")])
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def _tensors(path, network: str) -> dict[str, torch.Tensor]:
    return checked_tensors(find_release(path), network)[0]


@pytest.mark.parametrize("make", [as_public, as_recam, as_merged, as_diffusers])
def test_a_release_in_any_layout_becomes_one_of_recams(weights, tmp_path, make):
    source = make(tmp_path)
    status, said = weights("add", source, "--name", "mine")
    assert status == 0, said
    release = find_release(tmp_path / "releases/mine")
    assert release.layout == "recam" and source.exists()
    for network in NETWORKS:
        there, public = _tensors(release.path, network), checked_tensors(MINIATURE, network)[0]
        assert there.keys() == public.keys()
        assert all(torch.equal(there[name].float(), public[name].float()) for name in public)
    for file in TOKENIZER.iterdir():
        assert (release.path / "tokenizer" / file.name).read_bytes() == file.read_bytes()


def test_a_release_with_its_base_left_out(weights, tmp_path):
    status, said = weights("add", with_checkpoint(tmp_path, checkpoint(), base=False))
    assert status == 0 and (tmp_path / "releases/public").is_dir(), said


@pytest.mark.parametrize("suffix", [".ckpt", ".safetensors"])
def test_a_checkpoint_takes_the_rest_from_a_release_without_copying(weights, tmp_path, suffix):
    assert weights("add", MINIATURE.path, "--name", "recammaster")[0] == 0
    own = trained_part()
    own["blocks.0.self_attn.q.weight"] = own["blocks.0.self_attn.q.weight"] * 2
    file = tmp_path / f"step500{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(own, file)
    status, said = weights("add", file)
    assert status == 0, said
    made, base = tmp_path / "releases/step500", tmp_path / "releases/recammaster"
    assert torch.equal(_tensors(made, "transformer")[QUERY], own["blocks.0.self_attn.q.weight"])
    assert (made / "vae.safetensors").samefile(base / "vae.safetensors")
    assert not (made / "transformer.safetensors").samefile(base / "transformer.safetensors")
    shared = sum((made / f"{name}.safetensors").stat().st_size for name in NETWORKS[1:])
    assert f"{shared / 1e6:.1f} MB of it shared" in weights("list")[1]
    # And it lives on without the release that it was made with.
    assert weights("remove", "recammaster", "--yes")[0] == 0
    assert not base.exists()
    for network in NETWORKS:
        checked_tensors(find_release(made), network)


def test_where_the_disk_knows_no_links_the_rest_is_copied(weights, tmp_path, monkeypatch):
    assert weights("add", MINIATURE.path, "--name", "recammaster")[0] == 0

    def no_links(*_paths):
        raise OSError("not on this disk")

    monkeypatch.setattr("os.link", no_links)
    torch.save(checkpoint(), tmp_path / "own.ckpt")
    assert weights("add", tmp_path / "own.ckpt")[0] == 0
    checked_tensors(find_release(tmp_path / "releases/own"), "text_encoder")


def test_a_checkpoint_asks_for_the_release_that_it_goes_with(weights, tmp_path):
    torch.save(checkpoint(), tmp_path / "own.ckpt")
    status, said = weights("add", tmp_path / "own.ckpt")
    assert status == 1 and "own.ckpt" in said and "recam weights install" in said
    for name in ("one", "two"):
        assert weights("add", MINIATURE.path, "--name", name)[0] == 0
    status, said = weights("add", tmp_path / "own.ckpt")
    assert status == 1 and "--base" in said and "one, two" in said
    status, said = weights("add", tmp_path / "own.ckpt", "--base", "two")
    assert status == 0, said


def _without_vae(root) -> str:
    (root / WAN / "Wan2.1_VAE.pth").unlink()
    return "Wan2.1_VAE.pth"


def _truncated(root) -> str:
    file = root / CHECKPOINT
    file.write_bytes(file.read_bytes()[:-20_000])
    return "step20000.ckpt"


def _infinite(root) -> str:
    tensors = checkpoint()
    tensors["blocks.1.projector.bias"][5] = float("inf")
    torch.save(tensors, root / CHECKPOINT)
    return "step20000.ckpt"


@pytest.mark.parametrize("spoil", [_without_vae, _truncated, _infinite])
def test_a_release_that_cannot_be_used_is_named_and_leaves_nothing(weights, tmp_path, spoil):
    source = as_public(tmp_path)
    named = spoil(source)
    status, said = weights("add", source, "--name", "mine")
    assert status == 1 and named in said
    left = [path.name for path in (tmp_path / "releases").rglob("*")]
    assert left == [".incoming", "lock"]


def test_a_path_that_holds_no_weights_is_said(weights, tmp_path):
    status, said = weights("add", tmp_path / "nowhere")
    assert status == 1 and f"There is no {tmp_path / 'nowhere'}." in said
    (tmp_path / "notes.txt").write_text("no weights")
    assert weights("add", MINIATURE.path, "--name", "recammaster")[0] == 0
    status, said = weights("add", tmp_path / "notes.txt")
    assert status == 1 and "notes.txt" in said


def test_where_it_comes_from_is_written_down(weights, tmp_path):
    source = shutil.copytree(MINIATURE.path, tmp_path / "a")
    assert weights("add", source, "--name", "mine")[0] == 0
    about = json.loads((tmp_path / "releases/mine/release.json").read_text())
    vae = next(entry for entry in about["sources"] if entry["file"] == "Wan2.1_VAE.pth")
    assert vae["from"] == str(source / WAN) and len(vae["sha256"]) == 64
    assert str(source / WAN) in weights("list")[1]
