"""What a job needs of the device: memory, and on a CPU time."""

from __future__ import annotations

from inference_server.model.coder_memory import working_memory
from inference_server.model.tiling import Tiling

from .job import Job
from .memory import Needs, cache_bytes, free_bytes, pass_cost, refuse_without_fused, weights_of
from .networks import Networks
from .takes import CACHED_WINDOWS

CPU_SPEED = 5e11  # operations a second, of a good one
SLOW_HOURS = 0.5


def needs_of(networks: Networks, job: Job, cache: float) -> Needs:
    """Bytes on the networks' device. cache: the step cache's threshold, or 0.

    Raises RecamError ``attention_missing``.
    """
    size = _largest_pass(networks, job)
    if not networks.kernel.fused:
        refuse_without_fused(*size, free_bytes(networks.device))
    kept = 0
    if cache:
        counts = [len(shot.plan.windows) for shot in job.shots]
        windows = max((n for n in counts if n <= CACHED_WINDOWS), default=0)
        kept = windows * (1 + job.settings.guided) * cache_bytes(*size)
    width, height = job.framing.model
    tiling = Tiling() if job.settings.tiling == "public" else None
    return Needs(
        weights_of(networks.transformer),
        weights_of(networks.transformer.blocks[0]),
        weights_of(networks.vae),
        pass_cost(*size).peak_bytes + kept,
        working_memory(networks.vae, height, width, tiling, networks.dtype),
    )


def slowness(networks: Networks, job: Job) -> list[str]:
    """A sentence for a person who has no GPU, if the job takes a CPU more than a while."""
    passes = job.passes * (1 + job.settings.guided)
    operations = passes * pass_cost(*_largest_pass(networks, job)).operations
    hours = operations / CPU_SPEED / 3600
    if networks.device.type != "cpu" or hours < SLOW_HOURS:
        return []
    return [
        f"No GPU was found: on a CPU this job takes some {max(hours, 1):,.0f} hours. The engine "
        "projection gives a preview at once."
    ]


def _largest_pass(networks: Networks, job: Job) -> tuple:
    """The transformer's config, and latents, height, width and dtype of the longest window."""
    latents = max(len(window.slots) for shot in job.shots for window in shot.plan.windows)
    return dict(networks.transformer.config), latents, *job.grid, networks.dtype
