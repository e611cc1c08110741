"""Wan's transformer over target and source latents, with the target camera in every block."""

from __future__ import annotations

import torch
from diffusers import WanTransformer3DModel

from .camera_attention import CameraAttention


class CameraTransformer(WanTransformer3DModel):
    """diffusers' Wan transformer, its blocks' self-attention replaced by ``CameraAttention``.

    Takes what ``WanTransformer3DModel`` takes, by keyword. Blocks stay ``WanTransformerBlock``,
    so that diffusers' caches, offloading, LoRA loading and attention backends know them.
    """

    def __init__(self, **config) -> None:
        super().__init__(**config)
        heads, eps = self.config.num_attention_heads, self.config.eps
        for block in self.blocks:
            block.attn1 = CameraAttention(heads * self.config.attention_head_dim, heads, eps)

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        camera: torch.Tensor | None = None,
        **kwargs,
    ):
        """The velocity for target and source latents; only the target's half is of use.

        hidden_states: ``(B, 16, 2F, h, w)``, the F target latents and then the F of the source
        (the checkpoint's order; the paper's equation 8 has them the other way round).
        timestep: ``(B,)`` 0..1000, the same for all latents. encoder_hidden_states:
        ``(B, 512, text_dim)``. camera: ``(B, F, 12)``, see ``shared.cameras.twelve``; target
        latent i and source latent i both get pose i. The rest as in ``WanTransformer3DModel``.
        """
        both = None if camera is None else camera.to(hidden_states.dtype).repeat(1, 2, 1)
        for block in self.blocks:
            block.attn1.camera = both
        return super().forward(hidden_states, timestep, encoder_hidden_states, **kwargs)
