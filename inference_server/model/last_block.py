"""The last block, for the target's tokens alone: nobody reads what it makes of the source's."""

from __future__ import annotations

import torch
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from torch import nn


class LastBlock(WanTransformerBlock):
    """A block whose queries, text attention and feed-forward leave the second half out.

    Made of another block's own layers: same keys, same weights.
    """

    def __init__(self, block: WanTransformerBlock) -> None:
        nn.Module.__init__(self)
        for name, layer in block.named_children():
            self.add_module(name, layer)
        self.scale_shift_table = block.scale_shift_table
        self.__dict__["whole"] = block  # not as a child: its layers are already there
        self.train(block.training)

    def forward(
        self,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        temb: torch.Tensor,
        rotary_emb: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """``(B, tokens, dim)`` to ``(B, tokens / 2, dim)``. temb: ``(B, 6, dim)``."""
        kept, dtype = hidden_states.shape[1] // 2, hidden_states.dtype
        modulation = self.scale_shift_table + temb.float()
        shift, scale, gate, shift_ffn, scale_ffn, gate_ffn = modulation.chunk(6, dim=1)
        x = (self.norm1(hidden_states.float()) * (1 + scale) + shift).to(dtype)
        attended = self.attn1(x, None, None, rotary_emb, kept=kept)
        x = (hidden_states[:, :kept].float() + attended * gate).to(dtype)
        x = x + self.attn2(self.norm2(x.float()).to(dtype), encoder_hidden_states, None, None)
        inner = (self.norm3(x.float()) * (1 + scale_ffn) + shift_ffn).to(dtype)
        return (x.float() + self.ffn(inner).float() * gate_ffn).to(dtype)
