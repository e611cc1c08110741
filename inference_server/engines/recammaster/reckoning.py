"""What a job needs of the device: memory, and time told in operations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from diffusers import AutoencoderKLWan

from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.coder import PIXELS
from inference_server.model.coder_memory import working_memory
from inference_server.model.tiling import Tiling

from .device import device_name
from .job import Job
from .memory import Needs, cache_bytes, free_bytes, pass_cost, refuse_without_fused, weights_of
from .networks import Networks
from .takes import CACHED_WINDOWS
from .work import PASS, coding_units

CPU_SPEED = 5e11  # operations a second, of a good one
SLOW_HOURS = 0.5


@dataclass(frozen=True)
class Size:
    """Of the longest window: how many latents, their height and width. tiled: the VAE's way."""

    latents: int
    height: int
    width: int
    tiled: bool


@dataclass(frozen=True)
class Counted:
    """What a size costs. operations: of one pass. cached: bytes that a step cache keeps for a
    window and prompt, which are not among the needs."""

    needs: Needs
    operations: int
    cached: int


def size_of(job: Job) -> Size:
    """The largest that the job has."""
    latents = max(len(window.slots) for shot in job.shots for window in shot.plan.windows)
    return Size(latents, *job.grid, job.settings.tiling == "public")


def count(
    transformer: CameraTransformer, vae: AutoencoderKLWan, size: Size, dtype: torch.dtype
) -> Counted:
    """By running it on the meta device; the networks may lie there too."""
    window = dict(transformer.config), size.latents, size.height, size.width, dtype
    cost = pass_cost(*window)
    needs = Needs(
        weights_of(transformer),
        weights_of(transformer.blocks[0]),
        weights_of(vae),
        cost.peak_bytes,
        working_memory(
            vae, size.height * PIXELS, size.width * PIXELS, Tiling() if size.tiled else None, dtype
        ),
    )
    return Counted(needs, cost.operations, cache_bytes(*window))


def needs_of(networks: Networks, job: Job, cache: float) -> Needs:
    """Bytes on the networks' device. cache: the step cache's threshold, or 0.

    Raises RecamError ``attention_missing``.
    """
    size = size_of(job)
    if not networks.kernel.fused:
        config = dict(networks.transformer.config)
        window = config, size.latents, size.height, size.width, networks.dtype
        refuse_without_fused(*window, free_bytes(networks.device))
    return with_cache(_counted(networks, job), job, cache)


def with_cache(counted: Counted, job: Job, cache: float) -> Needs:
    """The needs with what a step cache keeps of the job's windows."""
    if not cache:
        return counted.needs
    counts = [len(shot.plan.windows) for shot in job.shots]
    windows = max((n for n in counts if n <= CACHED_WINDOWS), default=0)
    kept = windows * (1 + job.settings.guided) * counted.cached
    return replace(counted.needs, denoising=counted.needs.denoising + kept)


def operations_of(job: Job, one_pass: int) -> float:
    """All that the job has to do, encoding and decoding included, in passes' operations."""
    settings = job.settings
    guided = round(settings.guidance_share * settings.steps) if settings.guided else 0
    prompts = job.passes * (1 + guided / settings.steps)
    return one_pass * (prompts + 2 * coding_units(job) / PASS)


def work_of(networks: Networks, job: Job) -> float:
    """``operations_of`` with the networks that are loaded."""
    return operations_of(job, _counted(networks, job).operations)


def pace_of(device: torch.device, mode: str, cache: float) -> str:
    """What decides how many operations a second are done."""
    return f"on {device_name(device)}, {mode}{', cached' if cache else ''}"


def slowness(device: torch.device, operations: float) -> list[str]:
    """A sentence for a person who has no GPU, if the job takes a CPU more than a while."""
    hours = operations / CPU_SPEED / 3600
    if device.type != "cpu" or hours < SLOW_HOURS:
        return []
    return [
        f"No GPU was found: on a CPU this job takes some {max(hours, 1):,.0f} hours. The engine "
        "projection gives a preview at once."
    ]


def _counted(networks: Networks, job: Job) -> Counted:
    return count(networks.transformer, networks.vae, size_of(job), networks.dtype)
