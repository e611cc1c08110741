"""How much memory the VAE works in, found without working."""

from __future__ import annotations

import json
from functools import lru_cache

import torch
from diffusers import AutoencoderKLWan

from .coder import PIXELS, Coder
from .dry_run import dry_run
from .tiling import Tiling, tiles_of


def working_memory(
    vae: AutoencoderKLWan, height: int, width: int, tiling: Tiling | None, dtype: torch.dtype
) -> int:
    """Bytes that coding pictures of ``height`` x ``width`` pixels takes beside the weights.

    The most of tensors that live at once while a clip of any length is decoded, which takes more
    than to encode it: activations, the feature caches of all tiles, the chunk that comes out. Not
    in it: the weights, and the work space of the convolutions' kernels, which the card's library
    chooses (measured on a CPU in bfloat16: 2 to 8 % more). Of ``vae`` only the shapes count; it
    may lie anywhere, on the meta device too.
    """
    config = vae.to_json_string()
    first, *others = tiles_of(height // PIXELS, width // PIXELS, tiling)
    rows, columns = first.rows.stop, first.columns.stop
    alone = _decoding(config, rows, columns, None, dtype)
    if not others:
        return alone
    # The first is the largest. Each other tile adds its caches and its part of the picture.
    beside = tiling.stride[1] if first.columns.stop < first.columns.length else 0
    below = 0 if beside else tiling.stride[0]
    pair = _decoding(config, rows + below, columns + beside, tiling, dtype)
    area = sum((t.rows.stop - t.rows.start) * (t.columns.stop - t.columns.start) for t in others)
    return alone + round((pair - alone) * area / (rows * columns))


@lru_cache(maxsize=64)
def _decoding(config: str, rows: int, columns: int, tiling: Tiling | None, dtype) -> int:
    with torch.device("meta"):
        vae = AutoencoderKLWan.from_config(json.loads(config))
        torch.nn.Module.to(vae, dtype)  # diffusers' own warns of layers kept in float32: of none
        latent = torch.empty(1, 16, 1, rows, columns, dtype=dtype)
    # Three latents: the first, the second and the steady state each take their own way.
    stream = Coder(vae, tiling).decode([latent] * 3)
    return dry_run(lambda: [frames.shape for frames in stream]).peak_bytes
