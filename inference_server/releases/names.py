"""The public files' names for tensors, in the words of diffusers and transformers.

Each function takes a dict by tensor name and returns it with the names that the networks in
memory have. Names that are already those stay as they are.
"""

from __future__ import annotations

import re
from typing import TypeVar

Value = TypeVar("Value")

# One table for each network: pattern → replacement, applied in order.
_TRANSFORMER = (
    (r"^time_embedding\.0\.", r"condition_embedder.time_embedder.linear_1."),
    (r"^time_embedding\.2\.", r"condition_embedder.time_embedder.linear_2."),
    (r"^text_embedding\.0\.", r"condition_embedder.text_embedder.linear_1."),
    (r"^text_embedding\.2\.", r"condition_embedder.text_embedder.linear_2."),
    (r"^time_projection\.1\.", r"condition_embedder.time_proj."),
    (r"^head\.modulation$", r"scale_shift_table"),
    (r"^head\.head\.", r"proj_out."),
    (r"^(blocks\.\d+)\.modulation$", r"\1.scale_shift_table"),
    (r"^(blocks\.\d+)\.(cam_encoder|projector)\.", r"\1.attn1.\2."),
    (r"^(blocks\.\d+)\.self_attn\.", r"\1.attn1."),
    (r"^(blocks\.\d+)\.cross_attn\.", r"\1.attn2."),
    (r"^(blocks\.\d+\.attn\d)\.([qkv])\.", r"\1.to_\2."),
    (r"^(blocks\.\d+\.attn\d)\.o\.", r"\1.to_out.0."),
    (r"^(blocks\.\d+\.ffn)\.0\.", r"\1.net.0.proj."),
    (r"^(blocks\.\d+\.ffn)\.2\.", r"\1.net.2."),
    # Both have three norms, in another order; only the one with weights is in a file.
    (r"^(blocks\.\d+)\.norm3\.", r"\1.norm2."),
)
_VAE = (
    (r"^conv1\.", r"quant_conv."),
    (r"^conv2\.", r"post_quant_conv."),
    (r"^(encoder|decoder)\.conv1\.", r"\1.conv_in."),
    (r"^(encoder|decoder)\.head\.0\.", r"\1.norm_out."),
    (r"^(encoder|decoder)\.head\.2\.", r"\1.conv_out."),
    (r"^(encoder|decoder)\.middle\.0\.", r"\1.mid_block.resnets.0."),
    (r"^(encoder|decoder)\.middle\.1\.", r"\1.mid_block.attentions.0."),
    (r"^(encoder|decoder)\.middle\.2\.", r"\1.mid_block.resnets.1."),
    (r"^encoder\.downsamples\.", r"encoder.down_blocks."),
    (r"\.residual\.0\.", r".norm1."),
    (r"\.residual\.2\.", r".conv1."),
    (r"\.residual\.3\.", r".norm2."),
    (r"\.residual\.6\.", r".conv2."),
    (r"\.shortcut\.", r".conv_shortcut."),
)
_TEXT_ENCODER = (
    (r"^token_embedding\.", r"shared."),
    (r"^encoder\.embed_tokens\.", r"shared."),  # the same tensor by its other name
    (r"^norm\.", r"encoder.final_layer_norm."),
    (r"^blocks\.(\d+)\.norm1\.", r"encoder.block.\1.layer.0.layer_norm."),
    (r"^blocks\.(\d+)\.norm2\.", r"encoder.block.\1.layer.1.layer_norm."),
    (r"^blocks\.(\d+)\.attn\.", r"encoder.block.\1.layer.0.SelfAttention."),
    (
        r"^blocks\.(\d+)\.pos_embedding\.embedding\.",
        r"encoder.block.\1.layer.0.SelfAttention.relative_attention_bias.",
    ),
    (r"^blocks\.(\d+)\.ffn\.gate\.0\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_0."),
    (r"^blocks\.(\d+)\.ffn\.fc1\.", r"encoder.block.\1.layer.1.DenseReluDense.wi_1."),
    (r"^blocks\.(\d+)\.ffn\.fc2\.", r"encoder.block.\1.layer.1.DenseReluDense.wo."),
)


def transformer_names(tensors: dict[str, Value]) -> dict[str, Value]:
    """Wan's and ReCamMaster's names → those of ``CameraTransformer``."""
    return {_renamed(name, _TRANSFORMER): value for name, value in tensors.items()}


def vae_names(tensors: dict[str, Value]) -> dict[str, Value]:
    """Wan's names → those of diffusers' ``AutoencoderKLWan``."""
    return {_renamed(_up_block(name), _VAE): value for name, value in tensors.items()}


def text_encoder_names(tensors: dict[str, Value]) -> dict[str, Value]:
    """Wan's names → those of transformers' ``UMT5EncoderModel``, the shared embedding once."""
    return {_renamed(name, _TEXT_ENCODER): value for name, value in tensors.items()}


def _renamed(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name


def _up_block(name: str) -> str:
    """Wan counts the decoder's layers through; diffusers has blocks of three and an upsampler."""
    found = re.match(r"decoder\.upsamples\.(\d+)\.(.*)", name)
    if not found:
        return name
    block, layer = divmod(int(found[1]), 4)
    place = "upsamplers.0" if layer == 3 else f"resnets.{layer}"
    return f"decoder.up_blocks.{block}.{place}.{found[2]}"
