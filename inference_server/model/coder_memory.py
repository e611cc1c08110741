"""How much memory the VAE works in, found without working."""

from __future__ import annotations

import json
from collections import deque
from functools import lru_cache

import torch
from diffusers import AutoencoderKLWan

from .coder import FRAMES, PIXELS, Coder
from .dry_run import dry_run
from .tiling import Tiling


def working_memory(
    vae: AutoencoderKLWan, height: int, width: int, tiling: Tiling | None, dtype: torch.dtype
) -> int:
    """Bytes that coding pictures of ``height`` x ``width`` pixels takes beside the weights.

    The most of tensors that live at once while a clip of any length is encoded or decoded:
    activations, the feature caches of all tiles, the chunk that comes out. Not in it: the
    weights, and the work space of the convolutions' kernels, which the card's library chooses
    (measured on a CPU in bfloat16: 2 to 8 % more). Of ``vae`` only the shapes count; it may lie
    anywhere, on the meta device too.
    """
    return _working_memory(vae.to_json_string(), height, width, tiling, dtype)


@lru_cache(maxsize=64)
def _working_memory(config, height, width, tiling, dtype) -> int:
    with torch.device("meta"):
        vae = AutoencoderKLWan.from_config(json.loads(config))
        torch.nn.Module.to(vae, dtype)  # diffusers' own warns of it
        frame = torch.empty(3, height, width, dtype=dtype)
        latent = torch.empty(1, 16, 1, height // PIXELS, width // PIXELS, dtype=dtype)
    coder = Coder(vae, tiling)
    # Three latents: the first, the second and the steady state each take their own way.
    encoding = dry_run(lambda: _last(coder.encode([frame] * (1 + 2 * FRAMES))))
    decoding = dry_run(lambda: _last(coder.decode([latent] * 3)))
    return max(encoding.peak_bytes, decoding.peak_bytes)


def _last(stream) -> torch.Tensor:
    return deque(stream, maxlen=1).pop()
