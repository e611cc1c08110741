"""What a network is built with: from its config file, else from its tensors' shapes.

A config file wins, so that weights with a layer too few are found out. Without one the public
network is known by its width, and what its shapes cannot tell is filled in.
"""

from __future__ import annotations

import inspect
import json
import re
from math import prod

from diffusers import AutoencoderKLWan, WanTransformer3DModel
from safetensors import safe_open
from torch import Tensor

from .layout import Release
from .tensors import broken

# Wan's word → diffusers'.
_WAN_WORDS = {
    "num_heads": "num_attention_heads",
    "num_layers": "num_layers",
    "in_dim": "in_channels",
    "out_dim": "out_channels",
    "ffn_dim": "ffn_dim",
    "freq_dim": "freq_dim",
    "text_dim": "text_dim",
    "eps": "eps",
}


def read_config(release: Release, network: str) -> dict:
    """What the release's files say of ``network``; empty if they say nothing.

    RecamError ``weights_broken`` for a file that is not JSON.
    """
    path, text = release.files.get("config"), "{}"
    if release.layout == "diffusers":
        path = release.files[network].parent / "config.json"
    try:
        if release.layout == "merged":
            path = release.path
            text = merged_metadata(release).get("configs", "{}")
        elif path is not None and path.is_file():
            text = path.read_text(encoding="utf-8")
        said = json.loads(text)
        if release.layout == "recam":
            said = said.get("configs", {})
        if release.layout in ("recam", "merged"):
            said = said.get(network, {})
        # The public layout has a config for the transformer alone.
        return {**said} if release.layout != "public" or network == "transformer" else {}
    except (ValueError, TypeError, AttributeError) as error:
        raise broken(path, f"its config is not the JSON that it should be ({error})") from error


def merged_metadata(release: Release) -> dict[str, str]:
    """A merged file's metadata: ``configs`` (JSON by network), ``tokenizer`` (JSON, base64 by
    file name)."""
    with safe_open(release.path, framework="pt") as file:
        return file.metadata() or {}


def transformer_config(tensors: dict[str, Tensor], said: dict) -> dict:
    """For ``CameraTransformer``. tensors: by diffusers' names. said: Wan's words or diffusers'.

    Of the number of heads shapes say nothing: without a config, heads are 128 wide as in every
    public Wan. ValueError where that cannot be.
    """
    patches = _shape(tensors, "patch_embedding.weight", (1536, 16, 1, 2, 2))
    dim, patch = said.get("dim", patches[0]), patches[2:]
    time = _shape(tensors, "condition_embedder.time_embedder.linear_1.weight", (dim, 256))
    text = _shape(tensors, "condition_embedder.text_embedder.linear_1.weight", (dim, 4096))
    config = {
        "patch_size": patch,
        "in_channels": patches[1],
        "out_channels": _shape(tensors, "proj_out.bias", (16 * prod(patch),))[0] // prod(patch),
        "freq_dim": time[1],
        "text_dim": text[1],
        "ffn_dim": _shape(tensors, "blocks.0.ffn.net.0.proj.bias", (8960,))[0],
        "num_layers": 30 if dim == 1536 else _count(tensors, r"blocks\.(\d+)\."),
        "num_attention_heads": dim // 128,
        "cross_attn_norm": True,
    }
    config |= {_WAN_WORDS.get(word, word): value for word, value in said.items()}
    if config["num_attention_heads"] * 128 != dim and not said.keys() & {
        "num_heads",
        "num_attention_heads",
    }:
        raise ValueError(f"nothing says how many heads a width of {dim} has")
    config.setdefault("attention_head_dim", dim // config["num_attention_heads"])
    return _known(config, WanTransformer3DModel)


def vae_config(tensors: dict[str, Tensor], said: dict) -> dict:
    """For diffusers' ``AutoencoderKLWan``. tensors: by diffusers' names."""
    config = {
        "base_dim": _shape(tensors, "encoder.conv_in.bias", (96,))[0],
        "z_dim": _shape(tensors, "post_quant_conv.bias", (16,))[0],
    }
    return _known(config | said, AutoencoderKLWan)


def text_encoder_config(tensors: dict[str, Tensor], said: dict) -> dict:
    """For transformers' ``UMT5Config``. tensors: by transformers' names."""
    attention = "encoder.block.0.layer.0.SelfAttention"
    words, dim = _shape(tensors, "shared.weight", (256384, 4096))
    buckets, heads = _shape(tensors, f"{attention}.relative_attention_bias.weight", (32, 64))
    inner = _shape(tensors, f"{attention}.q.weight", (4096, dim))[0]
    feed = _shape(tensors, "encoder.block.0.layer.1.DenseReluDense.wi_0.weight", (10240, dim))
    config = {
        "vocab_size": words,
        "d_model": dim,
        "d_kv": inner // heads,
        "d_ff": feed[0],
        "num_heads": heads,
        "num_layers": 24 if dim == 4096 else _count(tensors, r"encoder\.block\.(\d+)\."),
        "relative_attention_num_buckets": buckets,
        "feed_forward_proj": "gated-gelu",
    }
    return config | said


def _shape(tensors: dict[str, Tensor], name: str, public: tuple[int, ...]) -> tuple[int, ...]:
    """The tensor's shape; the public one where it is missing, which the strict check reports."""
    shape = tuple(tensors[name].shape) if name in tensors else public
    return shape if len(shape) == len(public) else public


def _count(tensors: dict[str, Tensor], pattern: str) -> int:
    found = (re.match(pattern, name) for name in tensors)
    return max((int(match[1]) + 1 for match in found if match), default=1)


def _known(config: dict, network: type) -> dict:
    """Without words that ``network`` does not take."""
    words = inspect.signature(network).parameters
    return {word: value for word, value in config.items() if word in words}
