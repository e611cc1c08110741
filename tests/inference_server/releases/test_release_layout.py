"""What a release consists of, and what is missing from it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import partial

import pytest
import torch
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
from inference_server.releases.whole import is_whole
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


def test_a_wrong_path_is_said_to_be_wrong(tmp_path):
    for wrong, sentence in (
        (tmp_path / "nowhere", f"There is no {tmp_path / 'nowhere'}."),
        (tmp_path, f"{tmp_path} is no release: it has no {BASE}, no "),
    ):
        with pytest.raises(RecamError, match=re.escape(sentence)) as caught:
            find_release(wrong)
        assert caught.value.code == "weights_missing"


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


def _spoiled(path, root) -> None:
    """The file counts as missing, in words, and only as long as it is spoiled."""
    name = path.relative_to(root).as_posix() if path != root else path.name
    assert missing_parts(root) == [f"{name} (the one there is cut short or damaged)"]
    assert releases_in(root.parent) == []
    with pytest.raises(RecamError, match=re.escape(f"has no {name} (the one there is cut short")):
        find_release(root)


@pytest.mark.parametrize("left", [0, 5000, -1])
@pytest.mark.parametrize(
    ("make", "network"),
    [
        (as_recam, "transformer"),
        (as_recam, "vae"),
        (as_public, "camera"),
        (as_public, "vae"),
        (as_public, "text_encoder"),
        (as_merged, "transformer"),
    ],
)
def test_a_file_cut_short_counts_as_missing(make, network, left, tmp_path):
    root = make(tmp_path)
    file = find_release(root).files[network]
    whole = file.read_bytes()
    file.write_bytes(whole[:left])
    _spoiled(file, root)
    file.write_bytes(whole)
    assert missing_parts(root) == []


def test_a_shard_cut_short_counts_as_missing(tmp_path):
    root = as_diffusers(tmp_path, shard="500KB")
    shard = part_files(find_release(root).files["transformer"])[2]
    shard.write_bytes(shard.read_bytes()[:-1])
    _spoiled(shard, root)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (as_recam, "release.json"),
        (as_public, f"{WAN}/config.json"),
        (
            partial(as_diffusers, shard="500KB"),
            "vae/diffusion_pytorch_model.safetensors.index.json",
        ),
    ],
)
def test_a_damaged_json_counts_as_missing(make, name, tmp_path):
    root = make(tmp_path)
    for content in (b"{", b"\xff\xfe", b"[" * 100_000):
        (root / name).write_bytes(content)
        _spoiled(root / name, root)


@pytest.mark.parametrize("shard", ["/etc/hostname", "../../x.safetensors", 3, [1], None])
def test_an_index_leads_to_nothing_but_files_beside_it(shard, tmp_path):
    root = as_diffusers(tmp_path, shard="500KB")
    index = find_release(root).files["transformer"]
    index.write_text(json.dumps({"weight_map": {"a": shard}}))
    assert {file.parent for file in part_files(index)} == {index.parent}
    releases_in(tmp_path)


def test_tensors_of_any_kind_are_whole(tmp_path):
    save_file({"a": torch.zeros(0), "b": torch.zeros(()), "c": torch.ones(3)}, tmp_path / "a")
    save_file({}, tmp_path / "b", {"config": "{}"})
    torch.save(checkpoint(), tmp_path / "c", _use_new_zipfile_serialization=False)
    assert all(is_whole(tmp_path / name) for name in "abc")


@pytest.mark.parametrize(
    "header", [b"[]" * 9, b'{"a": 1}', b'{"a": {"data_offsets": []}}', b"{" * 99, b"{\xff"]
)
def test_a_header_that_is_none_is_damaged(header, tmp_path):
    header = b"{" + header
    for length in (len(header), 1 << 62):
        (tmp_path / "a").write_bytes(length.to_bytes(8, "little") + header)
        assert not is_whole(tmp_path / "a")


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
