"""Tensors out of every kind of file, and files that are no weights."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from pathlib import Path

import pytest
import torch
from release_layouts import MINIATURE, checkpoint
from safetensors.torch import save_file

from inference_server.releases.layout import part_files
from inference_server.releases.tensors import check_finite, read_tensors
from shared.errors import RecamError

CAMERA, BASE = MINIATURE.files["camera"], MINIATURE.files["transformer"]


def _same(found: dict, wanted: dict) -> None:
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name


def _broken(path: Path) -> str:
    with pytest.raises(RecamError) as caught:
        read_tensors(path)
    assert caught.value.code == "weights_broken"
    assert str(path) in caught.value.sentence
    return caught.value.sentence


def test_the_public_checkpoint_keeps_its_dtype():
    found = read_tensors(CAMERA)
    _same(found, checkpoint())
    assert {tensor.dtype for tensor in found.values()} == {torch.bfloat16}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: {"state_dict": t, "epoch": 3, "optimizer_states": [{"x": torch.zeros(2)}]},
        lambda t: {"model": t},
        lambda t: {"module": t, "global_steps": 7},
        lambda t: {"model_state": {"state_dict": t}},
        lambda t: t | {"step": 20000},
    ],
    ids=["lightning", "model", "deepspeed", "twice", "a number beside"],
)
def test_wrappers_come_off(wrap, tmp_path):
    torch.save(wrap(checkpoint()), tmp_path / "a.ckpt")
    _same(read_tensors(tmp_path / "a.ckpt"), checkpoint())


@pytest.mark.parametrize(
    "prefix",
    [
        "module.",
        "model.",
        "pipe.dit.",
        "_orig_mod.",
        "module._orig_mod.pipe.dit.",
        "model.diffusion_model.",
    ],
)
def test_prefixes_come_off(prefix, tmp_path):
    torch.save({prefix + name: t for name, t in checkpoint().items()}, tmp_path / "a.ckpt")
    _same(read_tensors(tmp_path / "a.ckpt"), checkpoint())


def test_what_compiling_and_sharding_put_inside_names_comes_off(tmp_path):
    inside = {
        name.replace("self_attn.", "_fsdp_wrapped_module._orig_mod.self_attn."): tensor
        for name, tensor in checkpoint().items()
    }
    torch.save(inside, tmp_path / "a.ckpt")
    _same(read_tensors(tmp_path / "a.ckpt"), checkpoint())


def test_the_old_torch_format(tmp_path):
    torch.save(checkpoint(), tmp_path / "a.ckpt", _use_new_zipfile_serialization=False)
    _same(read_tensors(tmp_path / "a.ckpt"), checkpoint())


def test_the_name_of_a_file_decides_nothing(tmp_path):
    save_file(checkpoint(), tmp_path / "a.ckpt")
    _same(read_tensors(tmp_path / "a.ckpt"), checkpoint())


def test_shards(tmp_path):
    tensors = list(checkpoint().items())
    save_file(dict(tensors[:40]), tmp_path / "1.safetensors")
    save_file(dict(tensors[40:]), tmp_path / "2.safetensors")
    index = tmp_path / "x.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "2.safetensors", "b": "1.safetensors"}}')
    _same(read_tensors(index), checkpoint())
    assert [file.name for file in part_files(index)[1:]] == ["1.safetensors", "2.safetensors"]
    index.write_text('{"weight_map": []}')
    assert "no tensors" in _broken(index)


def test_what_is_done_to_a_tensor_does_not_reach_the_file(tmp_path):
    for file in (CAMERA, BASE):
        copy = Path(shutil.copy(file, tmp_path))
        read_tensors(copy)["patch_embedding.weight"].zero_()
        assert copy.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("left", [0.02, 0.5, 0.999])
@pytest.mark.parametrize("file", [CAMERA, BASE], ids=["checkpoint", "safetensors"])
def test_a_file_cut_short(file, left, tmp_path):
    content = file.read_bytes()
    cut = tmp_path / file.name
    cut.write_bytes(content[: int(len(content) * left)])
    assert "cut short or damaged" in _broken(cut)


def test_the_old_torch_format_cut_short(tmp_path):
    torch.save(checkpoint(), tmp_path / "a.ckpt", _use_new_zipfile_serialization=False)
    whole = (tmp_path / "a.ckpt").read_bytes()
    (tmp_path / "a.ckpt").write_bytes(whole[:-5])
    assert "cut short or damaged" in _broken(tmp_path / "a.ckpt")


@pytest.mark.parametrize(
    "content", [b"", b"<html>no such file", b"version https://git-lfs.github.com/spec/v1\n"]
)
def test_a_file_of_another_kind(content, tmp_path):
    (tmp_path / "a.ckpt").write_bytes(content)
    assert repr(content[:9]) in _broken(tmp_path / "a.ckpt")


def test_an_archive_of_another_kind(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.ckpt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    _broken(tmp_path / "a.ckpt")


@pytest.mark.parametrize("content", [{}, {"step": 3}, [torch.zeros(2)]])
def test_a_checkpoint_without_tensors(content, tmp_path):
    torch.save(content, tmp_path / "a.ckpt")
    assert "no tensors" in _broken(tmp_path / "a.ckpt")


def test_a_file_that_is_not_there(tmp_path):
    assert "No such file" in _broken(tmp_path / "a.ckpt")


class _Touch:
    """Code in a pickle: it makes a file when it is run."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return (os.mkdir, (str(self.file),))


@pytest.mark.parametrize("archive", [True, False])
def test_code_in_a_checkpoint_is_not_run(archive, tmp_path):
    content = checkpoint() | {"x": _Touch(tmp_path / "ran")}
    torch.save(content, tmp_path / "a.ckpt", _use_new_zipfile_serialization=archive)
    assert "mkdir" in _broken(tmp_path / "a.ckpt")
    assert not (tmp_path / "ran").exists()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_in_a_plain_pickle_is_not_run(tmp_path):
    for protocol in range(2, 6):
        (tmp_path / "a.ckpt").write_bytes(pickle.dumps(_Touch(tmp_path / "ran"), protocol))
        _broken(tmp_path / "a.ckpt")
        assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_named(value, tmp_path):
    tensors = {"a": torch.zeros(3), "b": torch.zeros(3).bfloat16()}
    check_finite(tensors, tmp_path / "x.ckpt")
    tensors["b"][1] = value
    with pytest.raises(RecamError, match=r"x\.ckpt.*tensor b ") as caught:
        check_finite(tensors, tmp_path / "x.ckpt")
    assert caught.value.code == "weights_broken"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_one_number_among_many_is_found(dtype, value, tmp_path):
    for place in (0, 1, 40_001, 99_999):
        many = torch.randn(100, 1000).to(dtype)
        check_finite({"a": many}, tmp_path)
        many.view(-1)[place] = value
        with pytest.raises(RecamError, match="tensor a "):
            check_finite({"a": many.T}, tmp_path)


def test_what_has_no_numbers_to_check_is_fine(tmp_path):
    check_finite({"a": torch.zeros(0), "b": torch.tensor(1), "c": torch.tensor(True)}, tmp_path)


def test_eight_bit_numbers_are_checked_too(tmp_path):
    numbers = torch.tensor([1.0, 2.0]).to(torch.float8_e4m3fn)
    check_finite({"a": numbers, "b": torch.zeros(2, dtype=torch.int8)}, tmp_path)
    with pytest.raises(RecamError, match="tensor a "):
        check_finite({"a": torch.tensor([torch.nan]).to(torch.float8_e4m3fn)}, tmp_path)
