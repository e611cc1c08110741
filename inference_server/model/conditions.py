"""What a pass is conditioned on, made once and used at every step: see ``prepare``."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Text:
    """A prompt inside the transformer. ``blocks``: keys and values for every block's attention.

    embedded: ``(B, 512, dim)``.
    """

    embedded: torch.Tensor
    blocks: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    def __getitem__(self, part: slice) -> Text:
        """Some of its prompts."""
        return Text(self.embedded[part], tuple((k[part], v[part]) for k, v in self.blocks))


@dataclass(frozen=True)
class Scene:
    """Source clip and camera inside the transformer, for one window.

    source: ``(1, F * patches, dim)``, the source latents' tokens.
    camera: for every block ``(1, 2F, dim)``, the camera encoder's term.
    rotary: tables for target and source tokens, cos and sin.
    """

    source: torch.Tensor
    camera: tuple[torch.Tensor, ...]
    rotary: tuple[torch.Tensor, torch.Tensor]


def prepare_text(transformer, context: torch.Tensor) -> Text:
    """Of the text encoder's rows ``context`` ``(B, 512, text_dim)``."""
    embedded = transformer.condition_embedder.text_embedder(context)
    return Text(embedded, tuple(b.attn2.keys_and_values(embedded) for b in transformer.blocks))


def prepare_scene(
    transformer,
    source: torch.Tensor,
    camera: torch.Tensor,
    rotary: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> Scene:
    """Of source latents ``(1, 16, F, h, w)`` and the target camera ``(1, F, 12)``.

    rotary: the tables of another scene of the same size, if there is one.
    """
    both = camera.to(source.dtype).repeat(1, 2, 1)
    if rotary is None:
        rotary = transformer.rope(torch.cat([source, source], 2))
    return Scene(
        tokens_of(transformer, source),
        tuple(block.attn1.cam_encoder(both) for block in transformer.blocks),
        rotary,
    )


def tokens_of(transformer, latents: torch.Tensor) -> torch.Tensor:
    """``(B, F * patches, dim)`` of ``(B, 16, F, h, w)``, ordered frame, row, column."""
    return transformer.patch_embedding(latents).flatten(2).transpose(1, 2).contiguous()
