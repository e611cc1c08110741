"""Whether to stop is asked inside a pass, where one takes minutes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from inference_server.engines.base import Cancelled, ShouldStop


@contextmanager
def heeding(transformer: torch.nn.Module, should_stop: ShouldStop) -> Iterator[None]:
    """Inside, ``should_stop`` is asked after every block of the transformer, and Cancelled raised.

    Not on CUDA: a pass takes seconds there, and its blocks may be compiled, which hooks would undo.
    """

    def ask(*_) -> None:
        if should_stop():
            raise Cancelled

    blocks = transformer.blocks if transformer.device.type != "cuda" else ()
    hooks = [block.register_forward_hook(ask) for block in blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
