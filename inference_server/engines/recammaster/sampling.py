"""Denoising one shot: every step over all its windows, fused in latent space."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch

from inference_server.engines.base import Cancelled
from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.conditions import Scene, prepare_scene, prepare_text
from inference_server.model.schedule import TIMES, Schedule, model_time
from shared.errors import RecamError

from .windows import Plan, Window

KEPT_SCENES = 2  # windows whose prepared scene, 0.1 GiB at 832 x 480, stays on the device
BATCHED_TOKENS = 2048  # of a pass that leaves a large card idle: below, both prompts go together


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


def goes_at_once(config: dict, latents: int, height: int, width: int) -> bool:
    """Whether both prompts go through the model in one pass, for a window of so many latents."""
    return tokens_of_pass(config, latents, height, width) <= BATCHED_TOKENS


def tokens_of_pass(config: dict, latents: int, height: int, width: int) -> int:
    """Tokens of target and source together, for a window of so many latents of that size."""
    _, rows, columns = config["patch_size"]
    return 2 * latents * (height // rows) * (width // columns)


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
    prepared: bool = True,
    round_time: bool = True,
    on_pass: Callable[[torch.Tensor | None], None] = lambda guess: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> torch.Tensor:
    """``(1, 16, plan.latents, h, w)`` float32, clean.

    source, latents: ``(1, 16, plan.slots, h, w)`` of the clip and of what is to be denoised,
    float32, wherever there is room: one window at a time goes to the transformer's device.
    cameras: for every window ``(1, window, 12)``. contexts: the prompt's and the negative
    prompt's rows ``(1, 512, text_dim)``; None where nothing is guided. prepared: what stays the
    same from step to step is made once; if not, every pass makes it all, as the public code does.
    on_pass is called after every window of every step: with a guess ``(1, 16, h, w)`` at what the
    latent in the middle will be, where it is in the window of the shot's middle, else with None.
    Cancelled when told to stop, RecamError ``result_broken`` at the first number that is none.
    """
    kind = _PreparedPasses if prepared else _PlainPasses
    passes = kind(transformer, plan, source, cameras, contexts)
    steps = len(schedule.times)
    weights = torch.zeros(plan.slots)
    for window in plan.windows:
        weights.index_add_(0, torch.tensor(window.slots), torch.tensor(window.weights))
    middle = len(plan.windows) // 2
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
            on_pass(_guess(latents, velocity, window, time) if index == middle else None)
        check_finite(fused)
        latents = schedule.step(step, fused, latents)
    return latents[:, :, : plan.latents]


def _guess(latents, velocity, window: Window, time: float) -> torch.Tensor:
    """What the window's middle latent will be if the velocity stays what it is."""
    middle = len(window.slots) // 2
    return latents[:, :, window.slots[middle]] - time / TIMES * velocity[:, :, middle]


def check_finite(made: torch.Tensor) -> None:
    """RecamError ``result_broken`` for NaN or infinity in what the model made."""
    if not made.isfinite().all():
        raise RecamError(
            "result_broken",
            "The model's result has values that are no numbers.",
            "Check weights and card with recam verify; fewer steps or less guidance may help.",
        )


class _Passes:
    """The model's passes over the windows of one shot."""

    def __init__(self, transformer, plan, source, cameras, contexts) -> None:
        self.transformer, self.plan, self.source = transformer, plan, source
        self.home = {"device": transformer.device, "dtype": transformer.dtype}
        self.cameras = [camera.to(**self.home) for camera in cameras]
        self.contexts = [c.to(**self.home) for c in contexts if c is not None]
        size = len(plan.windows[0].slots), *source.shape[3:]
        self.batched = len(self.contexts) == 2 and goes_at_once(transformer.config, *size)

    def velocity(
        self, index: int, latents: torch.Tensor, time: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Window ``index``'s, ``(1, 16, window, h, w)`` float32, where ``latents`` lie."""
        target = self.taken(latents, self.plan.windows[index])
        if scale == 1 or len(self.contexts) < 2:
            velocity = self._pass(index, target, time, 0)
        elif self.batched:
            pair = self._pass(index, target.repeat(2, 1, 1, 1, 1), time.expand(2), None)
            velocity = _guided(*pair.chunk(2), scale)
        else:
            velocity = _guided(*(self._pass(index, target, time, k) for k in (0, 1)), scale)
        return velocity.to(latents)

    def taken(self, row: torch.Tensor, window: Window) -> torch.Tensor:
        """The window's latents out of the row, on the transformer's device."""
        return row[:, :, torch.tensor(window.slots)].to(**self.home)

    def _pass(self, index: int, target, time, text: int | None) -> torch.Tensor:
        """text: which prompt, None for both at once."""
        cached = self.transformer.is_cache_enabled
        name = f"window {index} text {text}"
        with self.transformer.cache_context(name) if cached else nullcontext():
            return self.predict(index, target, time, text).float()


class _PlainPasses(_Passes):
    """Every pass from latents, text and camera, as the public code has it."""

    def predict(self, index: int, target, time, text: int | None) -> torch.Tensor:
        """``(B, 16, window, h, w)``."""
        source = self.taken(self.source, self.plan.windows[index]).expand_as(target)
        context = torch.cat(self.contexts) if text is None else self.contexts[text]
        camera = self.cameras[index].expand(len(target), -1, -1)
        both = torch.cat([target, source], 2)
        return self.transformer(both, time, context, camera).sample[:, :, : target.shape[2]]


class _PreparedPasses(_Passes):
    """Passes with what stays the same made once, and of few windows kept."""

    def __init__(self, *given) -> None:
        super().__init__(*given)
        contexts = [torch.cat(self.contexts)] if self.batched else self.contexts
        self._texts = [prepare_text(self.transformer, context) for context in contexts]
        if self.batched:
            self._texts = [self._texts[0][:1], self._texts[0][1:], self._texts[0]]
        self._scenes: dict[int, Scene] = {}
        self._rotary = None

    def predict(self, index: int, target, time, text: int | None) -> torch.Tensor:
        """``(B, 16, window, h, w)``."""
        prepared = self._texts[-1 if text is None else text]
        return self.transformer(target, time, prepared, self._scene(index)).sample

    def _scene(self, index: int) -> Scene:
        if index in self._scenes:
            return self._scenes[index]
        source = self.taken(self.source, self.plan.windows[index])
        scene = prepare_scene(self.transformer, source, self.cameras[index], self._rotary)
        self._rotary = scene.rotary
        if len(self.plan.windows) <= KEPT_SCENES:
            self._scenes[index] = scene
        return scene


def _guided(wanted: torch.Tensor, unwanted: torch.Tensor, scale: float) -> torch.Tensor:
    return unwanted + scale * (wanted - unwanted)
