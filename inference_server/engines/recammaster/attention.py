"""Which attention kernel to use on a device, found by trying them."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.modeling_utils import ModelMixin
from diffusers.utils import logging
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

# diffusers' names of the fused kernels that give exact attention; PyTorch's own choice last.
CANDIDATES = ("_flash_3", "_native_cudnn", "flash", "_native_flash", "_native_efficient", "native")
TOKENS = 8192  # long enough for a kernel to show its speed
TOLERANCE = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 3e-2}
FUSED = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.CUDNN_ATTENTION]


@dataclass(frozen=True)
class AttentionKernel:
    """name: as ``set_attention_backend`` takes it. fused: whether it spares the score matrix.

    seconds: what each kernel that works took for ``TOKENS`` tokens, two heads of the model's size.
    """

    name: str
    fused: bool
    seconds: dict[str, float]


def probe_attention(device: torch.device, dtype: torch.dtype, head_dim: int) -> AttentionKernel:
    """The fastest kernel that works on the device and agrees with plain attention.

    A kernel whose package is missing, that does not know the card, or that is off by more than
    the dtype's rounding, is passed over. Other devices than CUDA's take PyTorch's own choice.
    """
    names = CANDIDATES if device.type == "cuda" else ("native",)
    seconds = {name: took for name in names if (took := _try(name, device, dtype, head_dim))}
    # PyTorch's own choice is a fused one only where it has any for this device.
    fused = [n for n in seconds if n != "native" or _has_fused(device, dtype, head_dim)]
    best = min(fused or seconds, key=seconds.get, default="native")
    return AttentionKernel(best, bool(fused), seconds)


def use_kernel(transformer: ModelMixin, kernel: AttentionKernel) -> None:
    """Let every attention of ``transformer`` use it."""
    logger = logging.get_logger("diffusers.models.modeling_utils")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it warns each time that its interface may change
    transformer.set_attention_backend(kernel.name)
    logger.setLevel(level)


def _try(name: str, device: torch.device, dtype: torch.dtype, head_dim: int) -> float | None:
    """Seconds, or None where it fails or is wrong. Anything may be raised by a foreign kernel."""
    try:
        few = _heads(256, device, dtype, head_dim)
        got = dispatch_attention_fn(*few, backend=name)
        with sdpa_kernel([SDPBackend.MATH]):
            right = dispatch_attention_fn(*(t.float() for t in few), backend="native")
        if not torch.allclose(got.float(), right, atol=TOLERANCE[dtype], rtol=TOLERANCE[dtype]):
            return None
        if device.type != "cuda":
            return 1.0  # nothing to choose between
        many = _heads(TOKENS, device, dtype, head_dim)
        dispatch_attention_fn(*many, backend=name)
        torch.cuda.synchronize(device)
        start = time.perf_counter()
        for _ in range(5):
            dispatch_attention_fn(*many, backend=name)
        torch.cuda.synchronize(device)
        return (time.perf_counter() - start) / 5
    except Exception:
        return None


def _has_fused(device: torch.device, dtype: torch.dtype, head_dim: int) -> bool:
    query, key, value = (t.transpose(1, 2) for t in _heads(256, device, dtype, head_dim))
    try:
        with sdpa_kernel(FUSED):
            scaled_dot_product_attention(query, key, value)
    except RuntimeError:
        return False
    return True


def _heads(tokens: int, device, dtype, head_dim: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shape = (1, tokens, 2, head_dim)
    return [torch.randn(shape, generator=generator).to(device, dtype) for _ in range(3)]
