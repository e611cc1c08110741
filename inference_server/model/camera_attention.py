"""Self-attention that is told where the camera is (ReCamMaster, arXiv 2503.11647, section 3.3).

The public form: ``projector(attention(x + cam_encoder(camera)))``, where x is the block's
normalised and modulated input. The camera goes into the attention, never into the residual.
"""

from __future__ import annotations

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor
from torch import nn


class CameraAttention(WanAttention):
    """diffusers' Wan attention with the camera encoder in front and the projector behind.

    A fresh one changes nothing: the encoder is zero, the projector the identity, as training
    starts them. ``camera`` ``(B or 1, T, 12)`` is set before a pass, or ``term``
    ``(B or 1, T, dim)``, what the encoder makes of it; T is the number of latents.
    """

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__(
            dim=dim, heads=heads, dim_head=dim // heads, eps=eps, processor=CameraProcessor()
        )
        self.cam_encoder = nn.Linear(12, dim)
        self.projector: nn.Linear | None = nn.Linear(dim, dim)
        self.camera: torch.Tensor | None = None
        self.term: torch.Tensor | None = None
        if not self.projector.weight.is_meta:
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
        """``(B, T * patches, dim)`` to the same; with ``kept=n`` the first n tokens' alone."""
        term = self.cam_encoder(self.camera) if self.term is None else self.term
        tokens = (hidden_states.unflatten(1, (term.shape[1], -1)) + term[:, :, None]).flatten(1, 2)
        attended = super().forward(
            tokens, encoder_hidden_states, attention_mask, rotary_emb, **kwargs
        )
        return attended if self.projector is None else self.projector(attended)

    @torch.no_grad()
    def fold_projector(self) -> None:
        """Multiply the projector into the attention's output: P (O x + o) + p. Not to be undone."""
        if self.projector is None:
            return
        out, dtype = self.to_out[0], self.to_out[0].weight.dtype
        weight, p = self.projector.weight.double(), self.projector.bias.double()
        bias = weight @ out.bias.double() + p
        out.weight.copy_((weight @ out.weight.double()).to(dtype))
        out.bias.copy_(bias.to(dtype))
        self.projector = None


class CameraProcessor(WanAttnProcessor):
    """Wan's self-attention, which can also be asked for the first tokens' results alone."""

    def __call__(
        self,
        attn: CameraAttention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
        kept: int | None = None,
    ) -> torch.Tensor:
        if kept is None:
            return super().__call__(
                attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb
            )
        cos, sin = rotary_emb
        query = _split(attn.norm_q(attn.to_q(hidden_states[:, :kept])), attn.heads)
        key = _split(attn.norm_k(attn.to_k(hidden_states)), attn.heads)
        value = _split(attn.to_v(hidden_states), attn.heads)
        attended = dispatch_attention_fn(
            _turned(query, cos[:, :kept], sin[:, :kept]),
            _turned(key, cos, sin),
            value,
            attn_mask=attention_mask,
            backend=self._attention_backend,
        )
        return attn.to_out[0](attended.flatten(2, 3).type_as(query))


def _split(tokens: torch.Tensor, heads: int) -> torch.Tensor:
    return tokens.unflatten(2, (heads, -1))


def _turned(heads: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding on interleaved pairs, tables as ``WanRotaryPosEmbed`` gives them."""
    even, odd = heads.unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = cos[..., 0::2], sin[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2).to(heads)
