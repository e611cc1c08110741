"""The blocks' feed-forward layer, in chunks of tokens: its middle is six times as wide."""

from __future__ import annotations

import torch
from diffusers.models.attention import FeedForward


class ChunkedFeedForward(FeedForward):
    """diffusers' layer; at most ``chunk`` tokens at a time where that is set. Same result."""

    chunk: int | None = None

    def forward(self, hidden_states: torch.Tensor, *args, **kwargs) -> torch.Tensor:
        """``(B, tokens, dim)`` to the same."""
        if self.chunk is None or hidden_states.shape[1] <= self.chunk:
            return super().forward(hidden_states, *args, **kwargs)
        out = torch.empty_like(hidden_states)
        for start in range(0, hidden_states.shape[1], self.chunk):
            part = slice(start, start + self.chunk)
            out[:, part] = super().forward(hidden_states[:, part], *args, **kwargs)
        return out
