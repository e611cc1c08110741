"""Transformer and VAE on one device: loaded once, and there only at work if memory is short."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec

import torch
from diffusers import AutoencoderKLWan, FirstBlockCacheConfig
from diffusers.hooks import apply_group_offloading

from inference_server.model.camera_transformer import CameraTransformer
from inference_server.model.coder import Coder
from inference_server.model.tiling import Tiling

from .attention import AttentionKernel, probe_attention, use_kernel
from .memory import CHUNK, free_bytes, weights_on

COMPILE_FROM = 40  # passes: compiling the block takes about as long as these save


class Networks:
    """Transformer and VAE in ``dtype`` on ``device``, as ``mode`` has them.

    load_transformer, load_vae: give each in a dtype, on the CPU; called when it is first needed.
    The mode is one of ``memory.MODES`` and may change between jobs.
    """

    def __init__(
        self,
        load_transformer: Callable[[torch.dtype], CameraTransformer],
        load_vae: Callable[[torch.dtype], AutoencoderKLWan],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self._load_transformer, self._load_vae = load_transformer, load_vae
        self.device, self.dtype = device, dtype
        self._mode = "resident"
        self._streaming = False
        self._kernel_set = False

    @cached_property
    def kernel(self) -> AttentionKernel:
        """The attention kernel, probed on first use."""
        return probe_attention(self.device, self.dtype, self.transformer.config.attention_head_dim)

    @cached_property
    def transformer(self) -> CameraTransformer:
        """Loaded on first use, to the CPU."""
        transformer = self._load_transformer(self.dtype)
        transformer.fold_projectors()
        transformer.chunk_feed_forward(CHUNK)
        return transformer

    @cached_property
    def vae(self) -> AutoencoderKLWan:
        """Loaded on first use, to the CPU."""
        return self._load_vae(self.dtype)

    def load(self) -> None:
        """Load what is not there yet, which takes a while the first time."""
        _ = self.transformer, self.vae

    @property
    def mode(self) -> str:
        """One of ``memory.MODES``."""
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        if mode == self._mode:
            return
        if (mode == "streamed") != (self._mode == "streamed"):
            # The hooks of streaming do not come off again: it is loaded anew.
            self.__dict__.pop("transformer", None)
            self._streaming = self._kernel_set = False
        elif mode == "offload" and "transformer" in self.__dict__:
            self.transformer.to("cpu")
        if mode != "resident" and "vae" in self.__dict__:
            self.vae.to("cpu")
        self._mode = mode
        give_back(self.device)

    @property
    def prepared(self) -> bool:
        """Whether what stays the same is made once: streamed blocks cannot be asked beforehand."""
        return self._mode != "streamed"

    def room(self) -> int | None:
        """Bytes on the device that are free or hold these networks; None where nobody tells."""
        loaded = (self.__dict__.get(name) for name in ("transformer", "vae"))
        # Of streamed blocks the parameters tell where they really lie.
        held = weights_on(self.device, *(network for network in loaded if network))
        free = free_bytes(self.device)
        return None if free is None else free + held

    @contextmanager
    def denoising(self, passes: int, cache: float = 0) -> Iterator[CameraTransformer]:
        """The transformer on the device, for about so many passes.

        cache: the threshold of a step cache (diffusers' first-block cache), 0 for none.
        """
        transformer = self.transformer
        if not self._kernel_set:
            use_kernel(transformer, self.kernel)
            self._kernel_set = True
        if self._mode == "streamed":
            self._stream()
        else:
            transformer.to(self.device)
            transformer.trim_last_block(not cache)
        self._compile(0 if cache else passes)
        if cache:
            transformer.enable_cache(FirstBlockCacheConfig(threshold=cache))
        try:
            yield transformer
        finally:
            if cache:
                transformer.disable_cache()
            if self._mode == "offload":
                transformer.to("cpu")
            give_back(self.device)

    @contextmanager
    def coding(self, tiling: Tiling | None) -> Iterator[Coder]:
        """The VAE on the device."""
        try:
            yield Coder(self.vae.to(self.device), tiling)
        finally:
            if self._mode != "resident":
                self.vae.to("cpu")
            give_back(self.device)

    def _stream(self) -> None:
        if self._streaming:
            return
        self.transformer.to("cpu")
        apply_group_offloading(
            self.transformer,
            onload_device=self.device,
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=self.device.type == "cuda",
        )
        self._streaming = True

    def _compile(self, passes: int) -> None:
        """Compile the blocks, or let them run as they are where it does not pay or work."""
        pays = passes >= COMPILE_FROM and self._mode != "streamed"
        if not (pays and self.device.type == "cuda" and find_spec("triton")):
            for block in self.transformer.blocks:
                block._compiled_call_impl = None
        elif self.transformer.blocks[0]._compiled_call_impl is None:
            torch._dynamo.config.suppress_errors = True  # what cannot be compiled runs as it is
            torch._dynamo.config.recompile_limit = 64  # sizes that a server meets in its life
            self.transformer.compile_repeated_blocks(dynamic=False)


def give_back(device: torch.device) -> None:
    """Return to the device what PyTorch keeps of memory that nothing uses any more."""
    if device.type == "cpu":
        return  # PyTorch keeps none of it there, and collecting takes longer than a small job
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
