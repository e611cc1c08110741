"""What a job of one size costs on a device: measured steps, and operations counted exactly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKLWan

from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.conditions import prepare_scene, prepare_text
from inference_server.model.dry_run import dry_run
from inference_server.model.schedule import make_schedule
from inference_server.model.tiling import Tiling

from .memory import GIB
from .networks import Networks
from .sampling import Guidance, denoise
from .shots import decode_shot, encode_shot, shot_noise
from .windows import plan_windows

# Wan2.1-T2V-1.3B, the transformer of the public release.
FULL = {
    "num_attention_heads": 12,
    "attention_head_dim": 128,
    "text_dim": 4096,
    "ffn_dim": 8960,
    "num_layers": 30,
}

# Dense bf16 with fp32 accumulation, TFLOP/s, from the makers' data sheets.
PEAKS = {
    "H100 80GB HBM3": 989,
    "H200": 989,
    "H100 PCIe": 756,
    "A100": 312,
    "L40S": 362,
    "4090": 165,
}


@dataclass(frozen=True)
class Figures:
    """seconds_step: one step, both prompts, all windows. operations: of such a step, counted.

    peak_bytes: the most that was allocated on the device; 0 where it does not tell.
    product: operations a second of a large matrix product on the same device, in the same run.
    """

    kernel: str
    seconds_step: float
    seconds_first: float
    seconds_encode: float
    seconds_decode: float
    operations: int
    peak_bytes: int
    product: float

    def seconds(self, steps: int) -> float:
        """A whole take of so many steps: encoding, denoising, decoding."""
        return self.seconds_encode + steps * self.seconds_step + self.seconds_decode


def random_networks(device: torch.device, dtype: torch.dtype) -> Networks:
    """Networks of the public size with random weights: as fast as the real ones, no use else."""

    def transformer(dtype: torch.dtype) -> CameraTransformer:
        with torch.device("meta"):
            model = CameraTransformer(**FULL).cast(dtype)
        return _filled(model, device).to("cpu")

    def vae(dtype: torch.dtype) -> AutoencoderKLWan:
        with torch.device("meta"):
            model = torch.nn.Module.to(AutoencoderKLWan(), dtype)
        return _filled(model, device).to("cpu")

    return Networks(transformer, vae, device, dtype)


def measure(networks: Networks, height: int, width: int, frames: int, steps: int) -> Figures:
    """Encode a clip, take ``steps`` guided steps after one to warm up, and decode it."""
    device, dtype = networks.device, networks.dtype
    config, _ = networks.transformer.config, networks.vae  # made before what is measured
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    plan = plan_windows(frames)
    clip = (torch.rand(3, height, width) * 2 - 1 for _ in range(frames))
    start = _now(device)
    with networks.coding(Tiling()) as coder:
        source = encode_shot(coder, clip, plan)
    encoded = _now(device)
    contexts = tuple(torch.randn(1, 512, config["text_dim"]) for _ in range(2))
    cameras = [torch.randn(1, len(w.slots), 12) for w in plan.windows]
    noise = shot_noise(plan, height // 8, width // 8, 0)
    marks = []

    def mark(_) -> None:
        marks.append(_now(device))

    with networks.denoising(passes=1000) as transformer:
        before = _now(device)
        clean = denoise(
            transformer,
            plan,
            source,
            cameras,
            contexts,
            noise,
            make_schedule(steps + 1, 5.0),
            Guidance(5.0),
            prepared=networks.prepared,
            on_pass=mark,
        )
    windows = len(plan.windows)
    ready = _now(device)
    with networks.coding(Tiling()) as coder:
        for _ in decode_shot(coder, clean):
            pass
    decoded = _now(device)
    return Figures(
        networks.kernel.name,
        (marks[-1] - marks[windows - 1]) / steps,
        marks[windows - 1] - before,
        encoded - start,
        decoded - ready,
        2 * windows * operations(config, height, width)[-1][1],
        torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0,
        _product(device, dtype),
    )


def operations(config: dict, height: int, width: int) -> list[tuple[str, int]]:
    """Operations of one pass over a window, first as the public code has it, then saving by saving.

    Counted on the meta device: exact, and the same on every machine.
    """
    with torch.device("meta"):
        model = CameraTransformer(**{k: config[k] for k in FULL}).eval()
        latents = plan_windows(1).latents
        target = torch.empty(1, 16, latents, height // 8, width // 8)
        context, camera = torch.empty(1, 512, config["text_dim"]), torch.empty(1, latents, 12)
        moment = torch.empty(1)
        with torch.no_grad():
            text, scene = prepare_text(model, context), prepare_scene(model, target, camera)

    def plain():
        return model(torch.cat([target, target], 2), moment, context, camera).sample

    def prepared():
        return model(target, moment, text, scene).sample

    counts = [("as the public code has it", dry_run(plain).operations)]
    counts.append(("text, source and camera made once a clip", dry_run(prepared).operations))
    model.trim_last_block()
    counts.append(("the last block for the target alone", dry_run(prepared).operations))
    model.fold_projectors()
    counts.append(("projectors folded into the attention", dry_run(prepared).operations))
    return counts


def sheet_peak(name: str) -> float | None:
    """Operations a second of the card's data sheet, dense bf16; None for a card not known."""
    return next((peak * 1e12 for card, peak in PEAKS.items() if card in name), None)


def lines(figures: Figures, name: str, steps: int) -> Iterator[str]:
    """The figures as people read them."""
    rate = figures.operations / figures.seconds_step
    yield f"attention kernel      {figures.kernel}"
    yield f"seconds a step        {figures.seconds_step:.3f} (first: {figures.seconds_first:.1f})"
    yield f"operations a step     {figures.operations:.3e}"
    yield f"speed                 {rate / 1e12:.3g} TFLOP/s"
    if peak := sheet_peak(name):
        share = 100 * rate / peak
        yield f"share of the peak     {share:.1f} % of {peak / 1e12:.0f} TFLOP/s (data sheet)"
    product = figures.product
    share = 100 * rate / product
    yield f"share of a product    {share:.1f} % of {product / 1e12:.3g} TFLOP/s (measured)"
    if figures.peak_bytes:
        yield f"peak memory           {figures.peak_bytes / GIB:.2f} GiB"
    yield f"encoding, decoding    {figures.seconds_encode:.1f} s, {figures.seconds_decode:.1f} s"
    yield f"a take of {steps} steps    {figures.seconds(steps):.0f} s, the prompt not counted"


def _filled(model: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """A model of the meta device, made real with small random weights."""
    model = model.to_empty(device=device).eval().requires_grad_(False)
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.normal_(std=0.02)
    return model


def _product(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a product of two square matrices, the best of three."""
    side = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    a @ b
    best = 0.0
    for _ in range(3):
        start = _now(device)
        for _ in range(10):
            a @ b
        best = max(best, 10 * 2 * side**3 / (_now(device) - start))
    return best


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
