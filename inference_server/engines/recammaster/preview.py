"""Pictures of latents without the VAE: a linear map from a latent's numbers to colours.

Fitted by least squares to the clip's own first window, whose frames and latents are both at
hand; so it holds for any weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch.nn.functional import avg_pool2d, pad

from inference_server.engines.base import MakePicture
from inference_server.model.coder import PIXELS, to_uint8

from .windows import PER_LATENT, WINDOW


class Preview:
    """Knows no colours until it has learnt from a clip."""

    def __init__(self) -> None:
        self._map: torch.Tensor | None = None  # (16 + 1, 3), the last row for the constant
        self._small: list[torch.Tensor] = []

    def noting(self, frames: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """``frames`` ``(3, H, W)`` in [-1, 1], of which those are noted that are to be learnt."""
        self._small = []
        for index, frame in enumerate(frames):
            if index % PER_LATENT == 0 and len(self._small) < WINDOW:
                self._small.append(avg_pool2d(frame, PIXELS))
            yield frame

    def learn(self, latents: torch.Tensor) -> None:
        """Take ``latents`` ``(1, 16, T, h, w)`` as those of the frames that were noted."""
        colours = torch.stack(self._small, 1)
        seen = latents[0, :, : len(self._small)]
        if not seen.isfinite().all():
            return  # the job's own check says so
        answer = torch.linalg.lstsq(_with_one(seen), colours.flatten(1).T)
        self._map, self._small = answer.solution, []

    def of(self, latent: torch.Tensor | None) -> MakePicture | None:
        """Makes the picture ``(h, w, 3)`` uint8 of ``latent`` ``(1, 16, h, w)``, in the model's
        frame; None where there is no latent or nothing was learnt."""
        if latent is None or self._map is None:
            return None
        return lambda: self._picture(latent)

    def _picture(self, latent: torch.Tensor) -> np.ndarray:
        colours = _with_one(latent[0]) @ self._map
        return to_uint8(colours).view(*latent.shape[2:], 3).numpy()


def _with_one(latents: torch.Tensor) -> torch.Tensor:
    """``(n, 17)`` float32 on the CPU: every pixel's numbers and a 1, of ``(16, …)``."""
    return pad(latents.flatten(1).T.float().cpu(), (0, 1), value=1.0)
