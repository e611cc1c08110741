"""Self-attention that is told where the camera is (ReCamMaster, arXiv 2503.11647, section 3.3).

The public form: ``projector(attention(x + cam_encoder(camera)))``, where x is the block's
normalised and modulated input. The camera goes into the attention, never into the residual.
"""

from __future__ import annotations

import torch
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor
from torch import nn


class CameraAttention(WanAttention):
    """diffusers' Wan attention with the camera encoder in front and the projector behind.

    A fresh one changes nothing: the encoder is zero, the projector the identity, as training
    starts them.
    """

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__(
            dim=dim, heads=heads, dim_head=dim // heads, eps=eps, processor=WanAttnProcessor()
        )
        self.cam_encoder = nn.Linear(12, dim)
        self.projector = nn.Linear(dim, dim)
        self.camera: torch.Tensor | None = None
        self.reset_camera_parameters()

    def reset_camera_parameters(self) -> None:
        """Start the camera's two layers as training does."""
        if self.projector.weight.is_meta:
            return
        nn.init.zeros_(self.cam_encoder.weight)
        nn.init.zeros_(self.cam_encoder.bias)
        nn.init.eye_(self.projector.weight)
        nn.init.zeros_(self.projector.bias)

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
        **kwargs,
    ) -> torch.Tensor:
        """``(B, T * patches, dim)`` to the same; ``self.camera`` is ``(B, T, 12)``, T latents."""
        hidden_states = add_per_latent(hidden_states, self.cam_encoder(self.camera))
        attended = super().forward(
            hidden_states, encoder_hidden_states, attention_mask, rotary_emb, **kwargs
        )
        return self.projector(attended)


def add_per_latent(tokens: torch.Tensor, term: torch.Tensor) -> torch.Tensor:
    """``tokens (B, T * patches, dim)`` plus ``term (B or 1, T, dim)``, one for each latent."""
    return (tokens.unflatten(1, (term.shape[1], -1)) + term[:, :, None]).flatten(1, 2)
