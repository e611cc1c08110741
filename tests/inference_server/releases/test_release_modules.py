"""Networks out of every layout: the same tensors, all of them, or a sentence that says why not."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import pytest
import torch
from release_layouts import (
    LOAD,
    MINIATURE,
    as_diffusers,
    as_merged,
    as_public,
    as_recam,
    checkpoint,
    trained_part,
    with_checkpoint,
)
from safetensors.torch import load_file, save_file

from inference_server.releases.layout import BASE, CHECKPOINT, NETWORKS, WAN, find_release
from inference_server.releases.modules import (
    checked_tensors,
    load_text_encoder,
    load_tokenizer,
    load_transformer,
    load_vae,
)
from inference_server.releases.names import transformer_names
from shared.errors import RecamError

COUNT = {"transformer": 77, "vae": 194, "text_encoder": 22}
VAE = f"{WAN}/Wan2.1_VAE.pth"


def _same(release, networks=NETWORKS) -> None:
    """The release makes the networks that the miniature one makes."""
    for network in networks:
        wanted = LOAD[network](MINIATURE, torch.float32).state_dict()
        found = LOAD[network](release, torch.float32).state_dict()
        assert found.keys() == wanted.keys()
        for name, tensor in wanted.items():
            assert torch.equal(found[name], tensor), name


def _refused(root: Path, network: str) -> str:
    with pytest.raises(RecamError) as caught:
        LOAD[network](find_release(root))
    assert caught.value.code == "weights_broken"
    return caught.value.sentence


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_network_is_ready_for_work(network, dtype):
    made = LOAD[network](MINIATURE, dtype)
    assert not made.training
    for parameter in made.parameters():
        assert parameter.dtype == dtype
        assert not parameter.requires_grad
    for tensor in (*made.parameters(), *made.buffers()):
        assert tensor.device.type == "cpu"


def test_bf16_is_what_is_taken_unless_something_else_is_asked_for():
    assert load_vae(MINIATURE).dtype == torch.bfloat16
    assert load_transformer(MINIATURE).proj_out.weight.dtype == torch.bfloat16
    assert load_text_encoder(MINIATURE).shared.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("network", NETWORKS)
def test_checked_tensors_keep_the_dtypes_of_the_files(network):
    tensors, _ = checked_tensors(MINIATURE, network)
    assert len(tensors) == COUNT[network]
    wanted = torch.float32 if network == "vae" else torch.bfloat16
    assert {tensor.dtype for tensor in tensors.values()} == {wanted}


def test_the_rotary_tables_are_those_of_a_network_made_afresh():
    made = load_transformer(MINIATURE, torch.bfloat16)
    fresh = type(made)(**{k: v for k, v in made.config.items() if not k.startswith("_")})
    for name in ("freqs_cos", "freqs_sin"):
        assert torch.equal(getattr(made.rope, name), getattr(fresh.rope, name))
        assert getattr(made.rope, name).dtype == getattr(fresh.rope, name).dtype


def test_the_embedding_of_the_text_encoder_is_held_once():
    made = load_text_encoder(MINIATURE)
    assert made.encoder.embed_tokens.weight is made.shared.weight
    public = torch.load(MINIATURE.files["text_encoder"], weights_only=True)
    assert torch.equal(made.shared.weight, public["token_embedding.weight"])


def test_loading_prints_nothing(capfd, recwarn):
    for network in NETWORKS:
        LOAD[network](MINIATURE)
    load_tokenizer(MINIATURE)
    said = capfd.readouterr()
    assert (said.out, said.err, list(recwarn)) == ("", "", [])


@pytest.mark.parametrize("make", [as_recam, as_diffusers, as_merged])
def test_the_other_layouts_make_the_same_networks(make, tmp_path):
    release = find_release(make(tmp_path))
    _same(release)
    ids = load_tokenizer(release)("A camera moves.").input_ids
    assert ids == load_tokenizer(MINIATURE)("A camera moves.").input_ids
    assert ids[-1] == 1


def test_shards_make_the_same_networks(tmp_path):
    _same(find_release(as_diffusers(tmp_path, shard="300KB")))


def test_a_merged_file_with_its_tokenizer_beside_it(tmp_path):
    release = find_release(as_merged(tmp_path, carries_tokenizer=False))
    assert load_tokenizer(release)("A").input_ids == load_tokenizer(MINIATURE)("A").input_ids


def test_a_diffusers_folder_with_a_checkpoint_beside_it(tmp_path):
    root = as_diffusers(tmp_path)
    weights = root / "transformer/diffusion_pytorch_model.safetensors"
    camera = ("cam_encoder", "projector")
    base = {n: t for n, t in load_file(weights).items() if not any(w in n for w in camera)}
    save_file(base, weights)
    torch.save({"state_dict": trained_part()}, root / "camera.ckpt")
    _same(find_release(root), ["transformer"])


@pytest.mark.parametrize("base", [True, False])
@pytest.mark.parametrize("prefix", ["", "module.", "pipe.dit."])
def test_a_whole_checkpoint(base, prefix, tmp_path):
    content = {"state_dict": {prefix + name: t for name, t in checkpoint().items()}}
    _same(find_release(with_checkpoint(tmp_path, content, base)), ["transformer"])


def test_a_whole_checkpoint_needs_no_readable_transformer_beside_it(tmp_path):
    root = as_public(tmp_path)
    (root / BASE).write_bytes(b"")
    _same(find_release(root), ["transformer"])


def test_the_networks_of_a_training_run_beside_the_transformer_are_passed_over(tmp_path):
    content = {f"pipe.dit.{name}": tensor for name, tensor in checkpoint().items()}
    content["pipe.vae.model.conv1.bias"] = torch.zeros(3)
    _same(find_release(with_checkpoint(tmp_path, content)), ["transformer"])


def test_the_trained_part_goes_over_wans_own(tmp_path):
    root = with_checkpoint(tmp_path, {"state_dict": trained_part()})
    found, _ = checked_tensors(find_release(root), "transformer")
    over, below = transformer_names(trained_part()), transformer_names(load_file(root / BASE))
    assert found.keys() == over.keys() | below.keys()
    for name, tensor in found.items():
        assert torch.equal(tensor, over[name] if name in over else below[name]), name


@pytest.mark.parametrize("suffix", ["self_attn.q.weight", "cam_encoder.bias"])
def test_a_trained_part_that_lacks_a_tensor(suffix, tmp_path):
    content = trained_part()
    del content[f"blocks.1.{suffix}"]
    told = _refused(with_checkpoint(tmp_path, content), "transformer")
    assert "step20000.ckpt" in told
    assert f"lacks {next(iter(transformer_names({f'blocks.1.{suffix}': 0})))}." in told


def test_a_missing_tensor_is_named(tmp_path):
    content = checkpoint()
    del content["blocks.0.ffn.2.bias"]
    told = _refused(with_checkpoint(tmp_path, content), "transformer")
    assert "step20000.ckpt cannot be used: it lacks blocks.0.ffn.net.2.bias." in told


def test_a_missing_layer_is_noticed(tmp_path):
    content = {name: t for name, t in checkpoint().items() if not name.startswith("blocks.1.")}
    told = _refused(with_checkpoint(tmp_path, content), "transformer")
    assert "lacks blocks.1." in told
    assert "more tensors" in told


@pytest.mark.parametrize("name", ["patch_embedding.bias", "text_embedding.0.weight"])
def test_a_missing_tensor_that_the_config_is_read_from_is_named(name, tmp_path):
    content = checkpoint()
    del content[name]
    told = _refused(with_checkpoint(tmp_path, content), "transformer")
    assert next(iter(transformer_names({name: 0}))) in told


def test_a_tensor_that_is_not_known_is_named(tmp_path):
    content = checkpoint() | {"blocks.0.mvs_attn.q.weight": torch.zeros(2, 3)}
    told = _refused(with_checkpoint(tmp_path, content), "transformer")
    assert "step20000.ckpt cannot be used: it also holds blocks.0.mvs_attn.q.weight (2x3)" in told


def test_a_tensor_of_another_shape_is_named(tmp_path):
    content = checkpoint()
    content["blocks.1.self_attn.q.weight"] = torch.zeros(96, 95)
    told = _refused(with_checkpoint(tmp_path, content), "transformer")
    assert "step20000.ckpt" in told
    assert "blocks.1.self_attn.q.weight (96x95, not 96x96)" in told


@pytest.mark.parametrize(
    ("part", "network", "name"),
    [("vae", "vae", "decoder.conv1.weight"), ("text_encoder", "text_encoder", "norm.weight")],
)
def test_the_other_networks_are_as_strict(part, network, name, tmp_path):
    root = as_public(tmp_path)
    file = root / MINIATURE.files[part].relative_to(MINIATURE.path)
    tensors = torch.load(file, weights_only=True)
    torch.save(tensors | {name: tensors[name][1:]}, file)
    told = _refused(root, network)
    assert file.name in told and name in told and "shape" in told
    del tensors[name]
    torch.save(tensors, file)
    assert "lacks" in _refused(root, network)
    torch.save(tensors | {"other": torch.zeros(1)}, file)
    assert file.name in _refused(root, network)


def test_the_vae_in_its_wrappers(tmp_path):
    root = as_public(tmp_path)
    tensors = torch.load(root / VAE, weights_only=True)
    for content in (
        {"model_state": tensors},
        {f"model.{name}": tensor for name, tensor in tensors.items()},
    ):
        torch.save(content, root / VAE)
        _same(find_release(root), ["vae"])


def test_a_config_of_another_network(tmp_path):
    root = as_public(tmp_path)
    config = root / WAN / "config.json"
    said = json.loads(config.read_text())
    config.write_text(json.dumps(said | {"num_layers": 3}))
    assert "lacks blocks.2." in _refused(root, "transformer")
    config.write_text(json.dumps(said | {"num_heads": "many"}))
    assert "config" in _refused(root, "transformer")
    config.write_text("{}")
    assert "heads" in _refused(root, "transformer")
    for other in ("[]", "3"):
        config.write_text(other)
        assert "config.json" in _refused(root, "transformer")


def test_a_damaged_config_of_a_merged_file(tmp_path):
    merged = as_merged(tmp_path)
    save_file(load_file(merged), merged, {"configs": "{", "tokenizer": "{}"})
    assert str(merged) in _refused(merged, "transformer")
    with pytest.raises(RecamError, match="no tokenizer"):
        load_tokenizer(find_release(merged))


def test_a_damaged_tokenizer(tmp_path):
    root = as_public(tmp_path)
    (root / WAN / "google/umt5-xxl/spiece.model").write_bytes(b"not a model")
    with pytest.raises(RecamError, match="umt5-xxl") as caught:
        load_tokenizer(find_release(root))
    assert caught.value.code == "weights_broken"


@pytest.mark.parametrize("merged", [False, True])
def test_code_beside_a_tokenizer_is_not_run_and_nobody_is_asked(merged, tmp_path, monkeypatch):
    root = as_public(tmp_path)
    tokenizer = root / WAN / "google/umt5-xxl"
    config = tokenizer / "tokenizer_config.json"
    asking = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}}
    config.write_text(json.dumps(json.loads(config.read_text()) | asking))
    ran = tmp_path / "ran"
    (tokenizer / "own.py").write_text(f"import os\nos.mkdir({str(ran)!r})\nclass Own: pass\n")
    release = find_release(root)
    if merged:
        release = find_release(as_merged(tmp_path / "merged", tokenizer=tokenizer))
    monkeypatch.setattr("sys.stdin", orders := io.StringIO("y\n"))
    with pytest.raises(RecamError, match="code of its own; nothing in it was run") as caught:
        load_tokenizer(release)
    assert caught.value.code == "weights_broken"
    assert not ran.exists()
    assert orders.read() == "y\n"


def test_a_file_that_went_away_after_the_release_was_found(tmp_path):
    root = as_public(tmp_path)
    release = find_release(root)
    shutil.rmtree(root / CHECKPOINT.split("/")[0])
    with pytest.raises(RecamError, match="No such file"):
        load_transformer(release)
