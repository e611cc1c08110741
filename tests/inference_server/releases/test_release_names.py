"""The public files' names and shapes, each network at its full size, without its weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers import WanTransformer3DModel
from release_layouts import MINIATURE

from inference_server.releases import modules
from inference_server.releases.layout import NETWORKS
from inference_server.releases.names import text_encoder_names, transformer_names, vae_names

DATA = Path(__file__).parents[2] / "data"
RENAME = {"transformer": transformer_names, "vae": vae_names, "text_encoder": text_encoder_names}
PUBLIC = {"transformer": "recam_dit", "vae": "wan21_vae", "text_encoder": "wan21_t5"}
COUNT = {"transformer": 945, "vae": 194, "text_encoder": 242}


def _public(file: str) -> dict[str, tuple[int, ...]]:
    keys = json.loads((DATA / f"keys_{file}.json").read_text())
    return {name: tuple(shape) for name, shape in keys.items()}


@pytest.mark.parametrize("network", NETWORKS)
def test_a_full_size_network_has_the_public_names_and_shapes(network):
    public = RENAME[network](_public(PUBLIC[network]))
    assert len(public) == COUNT[network]
    tensors = {name: torch.empty(shape, device="meta") for name, shape in public.items()}
    config = modules.CONFIGS[network](tensors, {})
    made = modules.on_meta(network, config).state_dict()
    made.pop("encoder.embed_tokens.weight", None)  # the same tensor as shared.weight
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == public


def test_wans_own_transformer_has_diffusers_names_and_shapes():
    public = transformer_names(_public("wan21_dit_1p3b"))
    tensors = {name: torch.empty(shape, device="meta") for name, shape in public.items()}
    with torch.device("meta"):
        made = WanTransformer3DModel(**modules.CONFIGS["transformer"](tensors, {})).state_dict()
    assert len(public) == 825
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == public


@pytest.mark.parametrize("network", NETWORKS)
def test_names_that_are_already_those_stay(network):
    names = RENAME[network](_public(PUBLIC[network]))
    assert RENAME[network](names) == names


@pytest.mark.parametrize(
    ("network", "last"), [("transformer", "blocks.29."), ("text_encoder", "encoder.block.23.")]
)
def test_a_public_network_without_its_last_layer_is_not_taken_for_a_smaller_one(network, last):
    public = RENAME[network](_public(PUBLIC[network]))
    left = {n: torch.empty(s, device="meta") for n, s in public.items() if not n.startswith(last)}
    assert len(left) < len(public)
    config = modules.CONFIGS[network](left, {})
    assert config == modules.CONFIGS[network](
        {name: torch.empty(shape, device="meta") for name, shape in public.items()}, {}
    )
    assert any(name.startswith(last) for name in modules.on_meta(network, config).state_dict())


def test_every_public_word_for_the_miniature():
    said = json.loads(MINIATURE.files["config"].read_text())
    tensors, config = modules.checked_tensors(MINIATURE, "transformer")
    assert config["num_attention_heads"] == said["num_heads"]
    assert config["attention_head_dim"] == 48
    assert (
        config["text_dim"] == tensors["condition_embedder.text_embedder.linear_1.weight"].shape[1]
    )
