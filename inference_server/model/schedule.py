"""How noise leaves the latents: the public sampler's levels and steps, by diffusers' schedulers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

TIMES = 1000  # the model's time runs from 0 (clean) to 1000 (noise)


@dataclass
class Schedule:
    """The steps of one denoising, each to be taken once and in order.

    times: the model's time at every step, 0..1000, before any rounding.
    first_level: the share of noise (sigma, 0..1) that it starts from.
    """

    times: list[float]
    first_level: float
    _scheduler: FlowMatchEulerDiscreteScheduler | UniPCMultistepScheduler

    def step(self, index: int, velocity: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
        """The latents after step ``index``; velocity (noise minus clean) and latents alike."""
        return self._scheduler.step(
            velocity, self._scheduler.timesteps[index], latents, return_dict=False
        )[0]


def make_schedule(
    steps: int, shift: float, strength: float = 1.0, solver: str = "euler"
) -> Schedule:
    """``steps`` levels u from ``strength`` down to 0, each moved to shift u / (1 + (shift - 1) u).

    With ``euler`` these are the public sampler's (FlowMatchScheduler with an extra last step);
    diffusers' own default levels are others. ``unipc`` is the solver that Wan itself uses, on
    the same levels; it needs fewer steps.
    """
    levels = np.linspace(strength, 0, steps + 1)[:-1]
    if solver == "unipc":
        scheduler = UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift
        )
    else:
        scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=levels)
    scheduler.set_begin_index(0)
    sigmas = [float(sigma) for sigma in scheduler.sigmas]
    return Schedule([TIMES * sigma for sigma in sigmas[:-1]], sigmas[0], scheduler)


def model_time(time: float, rounded: bool) -> torch.Tensor:
    """``(1,)`` float32. rounded: to bf16, as the ReCamMaster checkpoint was trained and is run.

    978.26 then becomes 980: multiples of 4 above 512.
    """
    exact = torch.tensor([time], dtype=torch.float32)
    return exact.bfloat16().float() if rounded else exact


def draw_noise(seed: int, *shapes: tuple[int, ...]) -> list[torch.Tensor]:
    """Float32 of each shape, from the CPU's generator on every device, as the public code draws.

    One after the other from one generator, so that none repeats another: it looks at the lower 32
    bits of a seed alone.
    """
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in shapes]


def mix_noise(latents: torch.Tensor, noise: torch.Tensor, level: float) -> torch.Tensor:
    """(1 - level) latents + level noise: where a denoising from a start video begins."""
    return (1 - level) * latents + level * noise
