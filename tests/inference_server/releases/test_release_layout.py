"""What a release consists of, and what is missing from it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from release_layouts import (
    MINIATURE,
    as_diffusers,
    as_merged,
    as_public,
    as_recam,
    checkpoint,
    trained_part,
    with_checkpoint,
)
from safetensors.torch import save_file

from inference_server.releases.layout import (
    BASE,
    CHECKPOINT,
    WAN,
    find_release,
    missing_parts,
    part_files,
    releases_in,
)
from shared.errors import RecamError

PARTS = {"transformer", "vae", "text_encoder", "tokenizer"}


def test_the_public_layout():
    assert MINIATURE.layout == "public"
    assert MINIATURE.name == "release"
    assert set(MINIATURE.files) == PARTS | {"camera", "config"}
    assert MINIATURE.files["camera"] == MINIATURE.path / CHECKPOINT


@pytest.mark.parametrize(
    ("layout", "make", "parts"),
    [
        ("recam", as_recam, PARTS | {"config"}),
        ("diffusers", as_diffusers, PARTS),
        ("merged", as_merged, PARTS),
    ],
)
def test_the_other_layouts(layout, make, parts, tmp_path):
    release = find_release(make(tmp_path))
    assert release.layout == layout
    assert release.name == layout
    assert set(release.files) == parts


def test_a_merged_file_has_its_tokenizer_beside_it_or_in_it(tmp_path):
    inside = as_merged(tmp_path)
    assert find_release(inside).files["tokenizer"] == inside
    (tmp_path / "other").mkdir()
    beside = as_merged(tmp_path / "other", carries_tokenizer=False)
    assert find_release(beside).files["tokenizer"] == tmp_path / "other/tokenizer"
    shutil.rmtree(tmp_path / "other/tokenizer")
    assert missing_parts(beside) == ["tokenizer/ beside it"]


def test_every_missing_file_is_named(tmp_path):
    root = as_public(tmp_path)
    for name in (f"{WAN}/Wan2.1_VAE.pth", f"{WAN}/google/umt5-xxl/spiece.model", CHECKPOINT):
        (root / name).unlink()
        assert name in missing_parts(root)
    with pytest.raises(RecamError, match=r"Wan2.1_VAE.pth, .*spiece.model, .*step20000") as caught:
        find_release(root)
    assert caught.value.code == "weights_missing"
    assert len(missing_parts(tmp_path / "nowhere")) == 5


@pytest.mark.parametrize("lost", ["vae.safetensors", "text_encoder.safetensors", "tokenizer"])
def test_what_a_converted_release_lacks(lost, tmp_path):
    root = as_recam(tmp_path)
    (root / lost).rename(tmp_path / "lost")
    assert [name.split("/")[0] for name in missing_parts(root)] == [lost]


def test_a_whole_checkpoint_needs_no_transformer_beside_it(tmp_path):
    root = as_public(tmp_path)
    (root / BASE).unlink()
    files = find_release(root).files
    assert files["transformer"] == root / CHECKPOINT
    assert "camera" not in files


def test_the_trained_part_alone_needs_wans_transformer(tmp_path):
    assert missing_parts(with_checkpoint(tmp_path, trained_part(), base=False)) == [BASE]


def test_of_checkpoints_of_ones_own_the_latest_step_is_taken(tmp_path):
    root = as_public(tmp_path)
    (root / CHECKPOINT).unlink()
    for step in (900, 1000):
        save_file(checkpoint(), root / CHECKPOINT.replace("20000.ckpt", f"{step}.safetensors"))
    assert find_release(root).files["camera"].name == "step1000.safetensors"


def test_a_diffusers_folder_whose_transformer_has_no_camera(tmp_path):
    root = as_diffusers(tmp_path)
    save_file(checkpoint(), tmp_path / "camera.safetensors")
    weights = root / "transformer/diffusion_pytorch_model.safetensors"
    save_file({"patch_embedding.bias": checkpoint()["patch_embedding.bias"]}, weights)
    assert missing_parts(root) == ["camera.safetensors"]
    shutil.copy(tmp_path / "camera.safetensors", root)
    assert find_release(root).files["camera"] == root / "camera.safetensors"


def test_a_missing_shard_is_named(tmp_path):
    root = as_diffusers(tmp_path, shard="500KB")
    index = find_release(root).files["transformer"]
    assert index.name.endswith(".index.json")
    shards = part_files(index)[1:]
    assert len(shards) > 1
    shards[1].unlink()
    assert missing_parts(root) == [f"transformer/{shards[1].name}"]


def test_a_damaged_index_stops_no_listing(tmp_path):
    root = as_diffusers(tmp_path, shard="500KB")
    find_release(root).files["vae"].with_name("x.safetensors.index.json").write_text("{")
    assert [r.path for r in releases_in(tmp_path)] == [root]


def test_the_transformer_alone_is_no_merged_release(tmp_path):
    save_file(checkpoint(), tmp_path / "repack.safetensors")
    assert "tensors vae.…" in missing_parts(tmp_path / "repack.safetensors")


def test_releases_are_found_in_a_folder_and_as_the_folder(tmp_path):
    root = as_public(tmp_path)
    assert [r.path for r in releases_in(root)] == [root]
    as_recam(tmp_path)
    as_merged(tmp_path)
    root.rename(tmp_path / ".public.part")
    assert [r.name for r in releases_in(tmp_path)] == ["merged", "recam"]
    assert releases_in(tmp_path / "nowhere") == []


def test_layout_imports_no_torch():
    code = "import sys, inference_server.releases.layout; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", "import json;" + code], capture_output=True)
    loaded = json.loads(done.stdout)
    assert "inference_server.releases.layout" in loaded
    assert not {"torch", "numpy", "safetensors"} & set(loaded)
