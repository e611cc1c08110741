"""The ReCamMaster engine on this CPU: operations saved, a step against diffusers', long clips."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import torch
from diffusers import WanTransformer3DModel

from inference_server.engines.recammaster.bench import FULL, operations
from inference_server.engines.recammaster.sampling import Guidance, denoise
from inference_server.engines.recammaster.windows import plan_windows
from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.schedule import make_schedule

from .figures import TIMES, Figure

SMALL = {
    "num_attention_heads": 4,
    "attention_head_dim": 128,
    "text_dim": 512,
    "ffn_dim": 2048,
    "num_layers": 8,
}
FRAMES, GRID = 5, (15, 26)  # latents, and patches of each
STEPS = 2


def run() -> list[Figure]:
    """Exact counts; ratios in one run."""
    return [*_saved(), _step(), *_long()]


def _saved() -> list[Figure]:
    (_, naive), *savings = operations(FULL, 480, 832)
    return [
        Figure(
            f"operations of a pass: {name}",
            100 * count / naive,
            "%",
            most=100,
            beside=f"{count:.4e}",
        )
        for name, count in savings
    ]


class _NaiveCamera(torch.nn.Module):
    """The camera around diffusers' own attention, as one would write it first."""

    def __init__(self, attention: torch.nn.Module, dim: int) -> None:
        super().__init__()
        self.attention = attention
        self.cam_encoder = torch.nn.Linear(12, dim)
        self.projector = torch.nn.Linear(dim, dim)
        self.camera: torch.Tensor | None = None

    def forward(self, hidden_states, *rest):
        term = self.cam_encoder(self.camera).repeat(1, 2, 1)
        patches = hidden_states.shape[1] // term.shape[1]
        return self.projector(
            self.attention(hidden_states + term.repeat_interleave(patches, 1), *rest)
        )


def _step() -> Figure:
    """One guided step: the naive wrapper's time over ours, each the best of a few, in turn."""
    torch.manual_seed(0)
    dim = SMALL["num_attention_heads"] * SMALL["attention_head_dim"]
    naive = WanTransformer3DModel(**SMALL).eval().requires_grad_(False)
    for block in naive.blocks:
        block.attn1 = _NaiveCamera(block.attn1, dim).requires_grad_(False)
    ours = CameraTransformer(**SMALL).eval().requires_grad_(False)
    ours.fold_projectors()
    ours.trim_last_block()
    height, width = (2 * side for side in GRID)
    source, noise = torch.randn(2, 1, 16, FRAMES, height, width)
    texts = torch.randn(2, 1, 512, SMALL["text_dim"])
    camera = torch.randn(1, FRAMES, 12)
    plan = plan_windows(4 * FRAMES - 3, hold_short=False)

    @torch.no_grad()
    def naively() -> None:
        schedule, latents = make_schedule(STEPS, 5.0), noise
        for block in naive.blocks:
            block.attn1.camera = camera
        for step, moment in enumerate(schedule.times):
            both, at = torch.cat([latents, source], 2), torch.tensor([moment])
            wanted, unwanted = (naive(both, at, text).sample[:, :, :FRAMES] for text in texts)
            latents = schedule.step(step, unwanted + 5.0 * (wanted - unwanted), latents)

    def with_ours() -> None:
        denoise(
            ours, plan, source, [camera], tuple(texts), noise, make_schedule(STEPS, 5.0), Guidance()
        )

    naively(), with_ours()  # the first runs make what is kept
    times = {naively: [], with_ours: []}
    for _ in range(TIMES):
        for run, taken in times.items():
            start = time.perf_counter()
            run()
            taken.append((time.perf_counter() - start) / STEPS)
    slow, fast = (min(taken) for taken in times.values())
    return Figure(
        "a step, diffusers' blocks with a naive camera",
        slow / fast,
        "times ours",
        least=1,
        beside=f"{slow:.2f} s and {fast:.2f} s",
    )


def _long() -> list[Figure]:
    """Time and memory for 4 and for 32 times 81 frames, each in a process of its own."""
    short, long = (_rendered(times) for times in (4, 32))
    return [
        Figure(
            "time a latent, 32 times 81 frames",
            long["seconds"] / short["seconds"],
            "times that of 4 times",
            most=1.1,
            beside=f"{1000 * long['seconds']:.0f} ms a latent",
        ),
        Figure(
            "peak memory, 32 times 81 frames",
            long["bytes"] / short["bytes"],
            "times that of 4 times",
            most=1.15,
            beside=f"{long['bytes'] / 2**20:.0f} MB",
        ),
    ]


def _rendered(times: int) -> dict:
    command = [sys.executable, "-m", "tests.bench.long_clip", str(times * 81)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])
