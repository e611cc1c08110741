"""Cross-attention to the prompt, whose keys and values need making only once for a prompt."""

from __future__ import annotations

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from diffusers.models.transformers.transformer_wan import WanAttention, WanAttnProcessor


class TextAttention(WanAttention):
    """diffusers' Wan cross-attention; ``kept``, if set, is used in place of the text."""

    def __init__(self, dim: int, heads: int, eps: float) -> None:
        super().__init__(
            dim=dim,
            heads=heads,
            dim_head=dim // heads,
            eps=eps,
            cross_attention_dim_head=dim // heads,
            processor=TextProcessor(),
        )
        self.kept: tuple[torch.Tensor, torch.Tensor] | None = None

    def keys_and_values(self, text: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """``(B, 512, heads, head_dim)`` each, of the embedded text ``(B, 512, dim)``."""
        key = self.norm_k(self.to_k(text)).unflatten(2, (self.heads, -1))
        return key, self.to_v(text).unflatten(2, (self.heads, -1))


class TextProcessor(WanAttnProcessor):
    """Wan's cross-attention, with the attention's kept keys and values where it has any."""

    def __call__(
        self,
        attn: TextAttention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        rotary_emb: tuple[torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        if attn.kept is None:
            return super().__call__(
                attn, hidden_states, encoder_hidden_states, attention_mask, rotary_emb
            )
        key, value = attn.kept
        query = attn.norm_q(attn.to_q(hidden_states)).unflatten(2, (attn.heads, -1))
        attended = dispatch_attention_fn(query, key, value, backend=self._attention_backend)
        return attn.to_out[0](attended.flatten(2, 3).type_as(query))
