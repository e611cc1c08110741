"""Denoising one shot: every step over all its windows, fused in latent space."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch

from inference_server.engines.base import Cancelled
from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.conditions import Scene, Text, prepare_scene, prepare_text
from inference_server.model.schedule import Schedule, model_time

from .windows import Plan, Window

KEPT_SCENES = 4  # windows whose prepared scene stays on the device; for more it is made anew
BATCHED_TOKENS = 8192  # below this a pass leaves a large card idle, and both prompts go together


@dataclass(frozen=True)
class Guidance:
    """scale: of the difference between prompt and negative prompt (1: no negative pass).

    share: the part of the steps, from the first on, that are guided at all.
    """

    scale: float = 5.0
    share: float = 1.0

    def at(self, step: int, steps: int) -> float:
        """The scale of one step."""
        return self.scale if step < round(self.share * steps) else 1.0


@torch.no_grad()
def denoise(
    transformer: CameraTransformer,
    plan: Plan,
    source: torch.Tensor,
    cameras: list[torch.Tensor],
    contexts: tuple[torch.Tensor, torch.Tensor | None],
    latents: torch.Tensor,
    schedule: Schedule,
    guidance: Guidance,
    *,
    round_time: bool = True,
    on_pass: Callable[[], None] = lambda: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> torch.Tensor:
    """``(1, 16, plan.latents, h, w)`` float32, clean.

    source, latents: ``(1, 16, plan.slots, h, w)`` of the clip and of what is to be denoised,
    float32, wherever there is room: one window at a time goes to the transformer's device.
    cameras: for every window ``(1, window, 12)``. contexts: the prompt's and the negative
    prompt's rows ``(1, 512, text_dim)``; None where nothing is guided.
    on_pass is called after every window of every step; Cancelled when told to stop.
    """
    passes = _Passes(transformer, plan, source, cameras, contexts)
    steps = len(schedule.times)
    weights = torch.zeros(plan.slots)
    for window in plan.windows:
        weights.index_add_(0, torch.tensor(window.slots), torch.tensor(window.weights))
    for step, time in enumerate(schedule.times):
        moment = model_time(time, round_time).to(transformer.device)
        fused = torch.zeros_like(latents)
        for index, window in enumerate(plan.windows):
            if should_stop():
                raise Cancelled
            velocity = passes.velocity(index, latents, moment, guidance.at(step, steps))
            slots = torch.tensor(window.slots)
            share = torch.tensor(window.weights) / weights[slots]
            fused.index_add_(2, slots, velocity * share[:, None, None])
            on_pass()
        latents = schedule.step(step, fused, latents)
    return latents[:, :, : plan.latents]


class _Passes:
    """The model's passes over the windows of one shot, with what is made once kept."""

    def __init__(self, transformer, plan, source, cameras, contexts) -> None:
        self._transformer, self._plan = transformer, plan
        self._source, self._cameras = source, cameras
        self._home = {"device": transformer.device, "dtype": transformer.dtype}
        given = [c.to(**self._home) for c in contexts if c is not None]
        self._texts = [prepare_text(transformer, context) for context in given]
        self._both = prepare_text(transformer, torch.cat(given)) if len(given) == 2 else None
        self._scenes: dict[int, Scene] = {}
        self._rotary = None

    def velocity(
        self, index: int, latents: torch.Tensor, time: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Window ``index``'s, ``(1, 16, window, h, w)`` float32, where ``latents`` lie."""
        window, scene = self._plan.windows[index], self._scene(index)
        target = self._taken(latents, window)
        tokens = scene.source.shape[1] * 2
        if scale == 1 or self._both is None:
            velocity = self._pass(target, time, self._texts[0], scene, f"{index} prompt")
        elif tokens <= BATCHED_TOKENS:
            pair = self._pass(target.repeat(2, 1, 1, 1, 1), time, self._both, scene, f"{index}")
            velocity = _guided(*pair.chunk(2), scale)
        else:
            wanted = self._pass(target, time, self._texts[0], scene, f"{index} prompt")
            unwanted = self._pass(target, time, self._texts[1], scene, f"{index} negative")
            velocity = _guided(wanted, unwanted, scale)
        return velocity.to(latents)

    def _pass(self, target, time, text: Text, scene: Scene, context: str) -> torch.Tensor:
        cached = self._transformer.is_cache_enabled
        with self._transformer.cache_context(context) if cached else nullcontext():
            return self._transformer(target, time.expand(len(target)), text, scene).sample.float()

    def _scene(self, index: int) -> Scene:
        if index in self._scenes:
            return self._scenes[index]
        source = self._taken(self._source, self._plan.windows[index])
        camera = self._cameras[index].to(**self._home)
        scene = prepare_scene(self._transformer, source, camera, self._rotary)
        self._rotary = scene.rotary
        if len(self._plan.windows) <= KEPT_SCENES:
            self._scenes[index] = scene
        return scene

    def _taken(self, row: torch.Tensor, window: Window) -> torch.Tensor:
        return row[:, :, torch.tensor(window.slots)].to(**self._home)


def _guided(wanted: torch.Tensor, unwanted: torch.Tensor, scale: float) -> torch.Tensor:
    return unwanted + scale * (wanted - unwanted)
