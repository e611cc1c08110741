"""One shot of the clip, from frames to latents, cameras and noise: what denoising starts from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch

from inference_server.engines.base import Cancelled
from inference_server.model.coder import Coder
from inference_server.model.schedule import draw_noise
from shared.cameras.presets import SUBJECT_DISTANCE
from shared.cameras.twelve import twelve_of

from .windows import Plan


def encode_shot(
    coder: Coder,
    frames: Iterable[torch.Tensor],
    plan: Plan,
    on_latent: Callable[[], None] = lambda: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> torch.Tensor:
    """``(1, 16, plan.slots, h, w)`` float32 on the CPU: the shot's latents, then its anchors.

    frames: the shot's, ``(3, H, W)`` in [-1, 1]; the last is held as long as the plan needs it.
    """
    anchors: list[torch.Tensor] = []

    def passing() -> Iterator[torch.Tensor]:
        last = None
        for index, frame in zip(range(plan.frames), frames, strict=False):
            if index in plan.anchors:
                anchors.append(coder.encode_frame(frame).float().cpu())
            last, shown = frame, index + 1
            yield frame
        for _ in range(plan.frames - shown):
            yield last

    row = []
    for latent in coder.encode(passing()):
        if should_stop():
            raise Cancelled
        row.append(latent.float().cpu())
        on_latent()
    return torch.cat([*row, *anchors], 2)


def decode_shot(coder: Coder, latents: torch.Tensor) -> Iterator[torch.Tensor]:
    """Frames ``(3, H, W)`` in [-1, 1] of ``latents`` ``(1, 16, T, h, w)``, one after the other."""
    for group in coder.decode(latents[:, :, i : i + 1] for i in range(latents.shape[2])):
        yield from group


def window_cameras(
    plan: Plan, poses: np.ndarray, references: np.ndarray, subject_distance: float
) -> list[torch.Tensor]:
    """For every window ``(1, window, 12)`` float32, as ``shared.cameras.twelve`` has them.

    poses, references: ``(F, 4, 4)`` of the trajectory and of the camera it is told against, for
    the shot's frames; both are held with the last frame. A window's reference is the one at its
    first frame. Metres are told as if the subject were where the model learned it to be.
    """
    cameras = []
    for window in plan.windows:
        frames = np.minimum(window.frames, len(poses) - 1)
        vectors = twelve_of(poses[frames], references[frames[0]], step=1)
        vectors[:, 3::4] *= SUBJECT_DISTANCE / subject_distance
        cameras.append(torch.from_numpy(vectors).float()[None])
    return cameras


def shot_noise(plan: Plan, height: int, width: int, seed: int) -> torch.Tensor:
    """``(1, 16, plan.slots, height, width)``; for 81 frames, what the public code draws."""
    counts = plan.latents, len(plan.anchors)
    return torch.cat(draw_noise(seed, *((1, 16, count, height, width) for count in counts)), 2)


def without_clip(source: torch.Tensor, kept: str, seed: int) -> torch.Tensor:
    """Source latents for the uses that give the model no clip, after the paper's section 3.4.

    kept: ``noise`` replaces them wholly (text to video), ``first_frame`` all but the first
    (image to video), ``clip`` none.
    """
    if kept == "clip":
        return source
    _, noise = draw_noise(seed, source.shape, source.shape)  # the first is the target's
    if kept == "first_frame":
        noise[:, :, :1] = source[:, :, :1]
    return noise
