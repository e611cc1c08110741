"""The transformer with the camera: against Wan's own, and each saving against the plain way."""

from __future__ import annotations

import pytest
import torch
from diffusers import FirstBlockCacheConfig, WanTransformer3DModel
from peft import LoraConfig

from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.conditions import prepare_scene, prepare_text
from inference_server.model.dry_run import dry_run

CONFIG = {
    "num_attention_heads": 2,
    "attention_head_dim": 48,
    "text_dim": 64,
    "ffn_dim": 192,
    "num_layers": 3,
}
FRAMES = 3


@pytest.fixture
def transformer():
    """Random, the camera's layers too: none of them leaves the result as it is."""
    torch.manual_seed(0)
    model = CameraTransformer(**CONFIG).eval().requires_grad_(False)
    for block in model.blocks:
        for layer in (block.attn1.cam_encoder, block.attn1.projector):
            torch.nn.init.normal_(layer.weight, std=0.1)
            torch.nn.init.normal_(layer.bias, std=0.1)
    return model


@pytest.fixture
def given():
    generator = torch.Generator().manual_seed(1)

    def random(*shape):
        return torch.randn(shape, generator=generator)

    return {
        "target": random(1, 16, FRAMES, 8, 12),
        "source": random(1, 16, FRAMES, 8, 12),
        "time": torch.tensor([937.0]),
        "text": random(1, 512, 64),
        "camera": random(1, FRAMES, 12),
    }


def plain(model, given, camera="camera"):
    both = torch.cat([given["target"], given["source"]], 2)
    out = model(both, given["time"], given["text"], given[camera])
    return out.sample[:, :, :FRAMES]


def prepared(model, given):
    text = prepare_text(model, given["text"])
    scene = prepare_scene(model, given["source"], given["camera"])
    return model(given["target"], given["time"], text, scene).sample


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


def test_a_fresh_camera_changes_nothing_of_wan(given):
    torch.manual_seed(0)
    camera = CameraTransformer(**CONFIG).eval()
    wan = WanTransformer3DModel(**CONFIG).eval()
    missing, unexpected = wan.load_state_dict(camera.state_dict(), strict=False)
    assert not missing and all("cam_encoder" in k or "projector" in k for k in unexpected)
    with torch.no_grad():
        both = torch.cat([given["target"], given["source"]], 2)
        right = wan(both, given["time"], given["text"]).sample[:, :, :FRAMES]
        assert torch.equal(plain(camera, given), right)


def test_the_pose_of_latent_i_goes_to_target_and_source_latent_i(transformer, given):
    seen = []
    transformer.blocks[0].attn1.cam_encoder.register_forward_hook(
        lambda layer, inputs, output: seen.append(inputs[0])
    )
    plain(transformer, given)
    assert torch.equal(seen[0], torch.cat([given["camera"], given["camera"]], 1))


def test_another_camera_gives_another_picture(transformer, given):
    given["other"] = given["camera"].flip(1)
    assert relative(plain(transformer, given, "other"), plain(transformer, given)) > 1e-3


@pytest.mark.parametrize("saving", ["prepared", "chunked", "trimmed", "folded", "all"])
def test_each_saving_gives_what_the_plain_way_gives(transformer, given, saving):
    right = plain(transformer, given)
    if saving in ("chunked", "all"):
        transformer.chunk_feed_forward(50)
    if saving in ("trimmed", "all"):
        assert transformer.trim_last_block()
    if saving in ("folded", "all"):
        assert transformer.fold_projectors()
    assert relative(prepared(transformer, given), right) < 2e-6


def test_both_prompts_at_once_give_what_each_gives(transformer, given):
    other = torch.randn(1, 512, 64, generator=torch.Generator().manual_seed(2))
    scene = prepare_scene(transformer, given["source"], given["camera"])
    text = prepare_text(transformer, torch.cat([given["text"], other]))
    pair = transformer(
        given["target"].repeat(2, 1, 1, 1, 1), given["time"].expand(2), text, scene
    ).sample
    right = [plain(transformer, {**given, "text": t}) for t in (given["text"], other)]
    assert relative(pair, torch.cat(right)) < 2e-6


def test_each_saving_costs_fewer_operations(transformer, given):
    counts = [dry_run(lambda: plain(transformer, given)).operations]
    text = prepare_text(transformer, given["text"])
    scene = prepare_scene(transformer, given["source"], given["camera"])

    def run():
        return transformer(given["target"], given["time"], text, scene).sample

    counts.append(dry_run(run).operations)
    transformer.trim_last_block()
    counts.append(dry_run(run).operations)
    transformer.fold_projectors()
    counts.append(dry_run(run).operations)
    assert counts == sorted(set(counts), reverse=True)


def test_a_lora_keeps_the_projector_apart_and_goes_on_working(transformer, given):
    before = plain(transformer, given)
    transformer.add_adapter(LoraConfig(r=2, target_modules=["to_q", "projector"]))
    assert not transformer.fold_projectors()
    for name, parameter in transformer.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    with torch.no_grad():
        changed = plain(transformer, given)
        assert relative(changed, before) > 1e-3
        assert relative(prepared(transformer, given), changed) < 2e-6


def test_a_step_cache_keeps_the_last_block_whole_and_skips_only_what_did_not_change(
    transformer, given
):
    right = prepared(transformer, given)
    transformer.enable_cache(FirstBlockCacheConfig(threshold=1e-9))
    assert not transformer.trim_last_block()
    with transformer.cache_context("prompt"):
        assert relative(prepared(transformer, given), right) < 2e-6
        later = {**given, "time": torch.tensor([400.0])}
        changed = prepared(transformer, later)
    transformer.disable_cache()
    assert relative(changed, prepared(transformer, later)) < 2e-6


def test_a_cache_is_disabled_before_the_block_is_trimmed(transformer, given):
    right = plain(transformer, given)
    transformer.enable_cache(FirstBlockCacheConfig(threshold=0.1))
    transformer.disable_cache()
    assert transformer.trim_last_block()
    assert relative(prepared(transformer, given), right) < 2e-6
