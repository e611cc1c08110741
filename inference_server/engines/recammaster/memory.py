"""How much memory a job needs on the device, how much there is, and what must leave for it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import lru_cache

import torch

from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.conditions import prepare_scene, prepare_text
from inference_server.model.dry_run import Cost, dry_run
from shared.errors import RecamError

from .sampling import goes_at_once, tokens_of_pass

GIB = 2**30
BLOCKS = 2  # that stand for all in a dry run
CHUNK = 8192  # tokens at a time through the feed-forward layers: as fast as all at once
SPARE = 0.07  # of the memory: kernels' work space and what the allocator cannot use

# Most memory first. resident: transformer and VAE stay on the device. offload: only the one at
# work is there. streamed: and the transformer's blocks come one after the other.
MODES = ("resident", "offload", "streamed")


@dataclass(frozen=True)
class Needs:
    """Bytes on the device, by what needs them.

    transformer, vae: weights. block: the largest block's weights. The text encoder is there
    only where it finds room by itself, before all else.
    denoising, coding: what a pass, and a step of the VAE, need beside the weights.
    """

    transformer: int
    block: int
    vae: int
    denoising: int
    coding: int

    def of(self, mode: str) -> int:
        """The most that a job has on the device at once in ``mode``."""
        if mode == "resident":
            return self.transformer + self.vae + max(self.denoising, self.coding)
        transformer = self.transformer if mode == "offload" else 3 * self.block
        return max(transformer + self.denoising, self.vae + self.coding)


def choose_mode(wanted: str, needs: Needs, free: int | None, after: str | None = None) -> str:
    """The first mode that fits in ``free`` bytes, or the wanted one if it is not ``auto``.

    after: a mode that has just run out of memory; only lower ones are looked at.
    Raises RecamError ``memory_short`` with the figures where none fits.
    """
    if wanted != "auto" and after is None:
        return wanted
    left = MODES[MODES.index(after) + 1 :] if after else MODES
    for mode in left:
        if free is None or after or needs.of(mode) <= free * (1 - SPARE):
            return mode
    least = f"{needs.of(MODES[-1]) / GIB:.1f} GiB on the device even with its blocks streamed"
    raise RecamError(
        "memory_short",
        f"This job was reckoned to need {least}, and ran out of memory all the same."
        if after
        else f"This job needs {least}; {free / GIB:.1f} GiB are free.",
        "Choose a smaller size, or close what else uses the device.",
    )


def pass_cost(config: dict, latents: int, height: int, width: int, dtype: torch.dtype) -> Cost:
    """What one pass costs, with fused attention, its bytes beside the weights: see ``_pass``."""
    return _pass_cost(json.dumps(config), latents, height, width, dtype, True)


def cache_bytes(config: dict, latents: int, height: int, width: int, dtype: torch.dtype) -> int:
    """What diffusers' first-block cache keeps for a window and prompt: three tensors of all tokens.

    The sizes are those of latents, as in ``pass_cost``.
    """
    dim = config["num_attention_heads"] * config["attention_head_dim"]
    return 3 * tokens_of_pass(config, latents, height, width) * dim * dtype.itemsize


def refuse_without_fused(
    config: dict, latents: int, height: int, width: int, dtype: torch.dtype, free: int | None
) -> None:
    """RecamError ``attention_missing`` for a size that unfused attention cannot hold."""
    needed = _pass_cost(json.dumps(config), latents, height, width, dtype, False).peak_bytes
    if free is not None and needed > free:
        raise RecamError(
            "attention_missing",
            f"No fused attention kernel works on this device; without one, {width * 8} x "
            f"{height * 8} pixels need {needed / GIB:.0f} GiB, and {free / GIB:.1f} GiB are free.",
            "Choose a smaller size, or install a PyTorch build with flash or memory-efficient "
            "attention for this device.",
        )


def weights_of(*modules: torch.nn.Module) -> int:
    """Bytes of parameters and buffers."""
    tensors = [t for m in modules for t in (*m.parameters(), *m.buffers())]
    return sum(t.numel() * t.element_size() for t in tensors)


def weights_on(device: torch.device, *modules: torch.nn.Module) -> int:
    """Bytes of those parameters and buffers that lie on the device."""
    tensors = [t for m in modules for t in (*m.parameters(), *m.buffers())]
    return sum(t.numel() * t.element_size() for t in tensors if t.device == device)


def free_bytes(device: torch.device) -> int | None:
    """What is free on the device, PyTorch's own reserve included; None where nobody tells."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + unused
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    try:
        with open("/proc/meminfo") as file:
            lines = dict(line.split(":") for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def available_bytes(device: torch.device) -> int | None:
    """What a job could have of the device: what is free, and all that PyTorch holds here."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    if device.type == "mps":
        return torch.mps.recommended_max_memory()
    return free_bytes(device)


@lru_cache(maxsize=64)
def _pass_cost(config: str, latents: int, height: int, width: int, dtype, fused: bool) -> Cost:
    known = json.loads(config)
    cost = dry_run(_pass(known, latents, height, width, dtype), fused)
    return Cost(cost.operations * known["num_layers"] // BLOCKS, cost.peak_bytes)


def _pass(config: dict, latents: int, height: int, width: int, dtype):
    """One pass over a window of ``(16, latents, height, width)``, on the meta device.

    Two blocks stand for all: each lets go of what it made before the next begins. What is kept
    from step to step, keys and values of two prompts and the source's tokens, is counted whole.
    Of small windows both prompts are in the pass.
    """
    with torch.device("meta"):
        model = CameraTransformer(**{**config, "num_layers": BLOCKS}).eval()
        model.cast(dtype)
        model.requires_grad_(False)
        model.chunk_feed_forward(CHUNK)
        prompts = 2 if goes_at_once(model.config, latents, height, width) else 1
        target = torch.empty(prompts, 16, latents, height, width, dtype=dtype)
        context = torch.empty(prompts, 512, config["text_dim"], dtype=dtype)
        camera = torch.empty(1, latents, 12, dtype=dtype)
        time = torch.empty(prompts)

    def run():
        times = -(-config["num_layers"] // BLOCKS)
        text = [prepare_text(model, context) for _ in range(2 // prompts * times)]
        scene = prepare_scene(model, target[:1], camera)
        return text, model(target, time, text[0], scene).sample

    return run
