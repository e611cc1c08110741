"""Wan's transformer over target and source latents, with the target camera in every block."""

from __future__ import annotations

import torch
from diffusers import WanTransformer3DModel
from diffusers.models.modeling_outputs import Transformer2DModelOutput

from .camera_attention import CameraAttention
from .conditions import Scene, Text, tokens_of
from .feed_forward import ChunkedFeedForward
from .last_block import LastBlock
from .text_attention import TextAttention


class CameraTransformer(WanTransformer3DModel):
    """diffusers' Wan transformer, its blocks' self-attention replaced by ``CameraAttention``.

    Takes what ``WanTransformer3DModel`` takes, by keyword. Blocks stay ``WanTransformerBlock``,
    so that diffusers' caches, offloading, LoRA loading and attention backends know them.
    """

    _keep_in_fp32_modules = None  # the public code casts everything

    def __init__(self, **config) -> None:
        super().__init__(**config)
        heads, eps = self.config.num_attention_heads, self.config.eps
        dim = heads * self.config.attention_head_dim
        for block in self.blocks:
            block.attn1 = CameraAttention(dim, heads, eps)
            block.attn2 = TextAttention(dim, heads, eps)
            block.ffn = ChunkedFeedForward(
                dim, inner_dim=self.config.ffn_dim, activation_fn="gelu-approximate"
            )

    def forward(
        self,
        hidden_states: torch.Tensor,
        timestep: torch.Tensor,
        encoder_hidden_states: torch.Tensor | Text,
        camera: torch.Tensor | Scene | None = None,
        **kwargs,
    ):
        """The velocity, ``(B, 16, T, h, w)``; of the second half, the source's, nothing is used.

        hidden_states: ``(B, 16, 2F, h, w)``, the F target latents and then the F of the source
        (the checkpoint's order; the paper's equation 8 has them the other way round).
        timestep: ``(B,)`` 0..1000, the same for all latents. encoder_hidden_states:
        ``(B, 512, text_dim)``. camera: ``(B, F, 12)``, see ``shared.cameras.twelve``; target
        latent i and source latent i both get pose i. The rest as in ``WanTransformer3DModel``.

        With a prepared ``Text`` and ``Scene`` in place of text and camera, ``hidden_states``
        and the result are the F target latents alone, and what they hold is not made again.
        """
        if not isinstance(camera, Scene):
            both = None if camera is None else camera.to(hidden_states.dtype).repeat(1, 2, 1)
            self._tell_blocks(both)
            return super().forward(hidden_states, timestep, encoder_hidden_states, **kwargs)
        self._tell_blocks(None, camera.camera, encoder_hidden_states.blocks)
        try:
            return self._prepared(hidden_states, timestep, encoder_hidden_states, camera)
        finally:
            self._tell_blocks(None)  # else they would keep text and scene in memory

    def _tell_blocks(self, camera: torch.Tensor | None, terms=None, texts=None) -> None:
        for index, block in enumerate(self.blocks):
            block.attn1.camera = camera
            block.attn1.term = terms[index] if terms else None
            block.attn2.kept = texts[index] if texts else None

    def _prepared(
        self, target: torch.Tensor, timestep: torch.Tensor, text: Text, scene: Scene
    ) -> Transformer2DModelOutput:
        batch, _, frames, height, width = target.shape
        embedder = self.condition_embedder
        tokens = tokens_of(self, target)
        kept = tokens.shape[1]
        tokens = torch.cat([tokens, scene.source.expand(batch, -1, -1)], 1)
        waves = embedder.timesteps_proj(timestep).to(tokens.dtype)
        time = embedder.time_embedder(waves)
        modulation = embedder.time_proj(embedder.act_fn(time)).unflatten(1, (6, -1))
        for block in self.blocks:
            tokens = block(tokens, text.embedded, modulation, scene.rotary)
        tokens = tokens[:, :kept]
        shift, scale = (self.scale_shift_table + time[:, None]).chunk(2, dim=1)
        tokens = (self.norm_out(tokens.float()) * (1 + scale) + shift).type_as(tokens)
        step, row, column = self.config.patch_size
        grid = (frames // step, height // row, width // column)
        patches = self.proj_out(tokens).unflatten(1, grid).unflatten(-1, (step, row, column, -1))
        # (B, f, h, w, x, y, z, c) to (B, c, f x, h y, w z): the channel is the fastest index.
        latents = patches.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)
        return Transformer2DModelOutput(sample=latents)

    def cast(self, dtype: torch.dtype) -> CameraTransformer:
        """The weights in ``dtype``; the rotary tables stay float32, as in diffusers."""
        rope, self.rope = self.rope, None
        torch.nn.Module.to(self, dtype)  # diffusers' own warns of layers to keep in float32
        self.rope = rope
        return self

    def fold_projectors(self) -> bool:
        """Fold every projector into its attention's output, unless a LoRA needs it apart."""
        if getattr(self, "_hf_peft_config_loaded", False):
            return False
        for block in self.blocks:
            block.attn1.fold_projector()
        return True

    def trim_last_block(self, trimmed: bool = True) -> bool:
        """Let the last block make the target's tokens alone, unless a step cache counts on all.

        The plain way, without prepared text and scene, needs it whole again (``False``).
        """
        last = self.blocks[-1]
        if trimmed and self.is_cache_enabled:
            return False
        if isinstance(last, LastBlock) != trimmed:
            self.blocks[-1] = LastBlock(last) if trimmed else last.whole
        return True

    def chunk_feed_forward(self, tokens: int | None) -> None:
        """At most ``tokens`` at a time through the feed-forward layers; None for all at once."""
        for block in self.blocks:
            block.ffn.chunk = tokens
