"""A pass that takes minutes asks on its way whether it is to stop."""

from __future__ import annotations

import pytest
import torch

from inference_server.engines.base import Cancelled
from inference_server.engines.recammaster.heeding import heeding


class Blocks(torch.nn.Module):
    """Four blocks, on a device that is told."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.device = torch.device(kind)
        self.blocks = torch.nn.ModuleList(torch.nn.Identity() for _ in range(4))

    def forward(self, value):
        for block in self.blocks:
            value = block(value + 1)
        return value


def test_it_is_asked_after_every_block_and_not_any_more_afterwards():
    blocks, asked = Blocks("cpu"), []
    with heeding(blocks, lambda: asked.append(1)):
        assert blocks(torch.zeros(1)) == 4
    assert len(asked) == 4
    blocks(torch.zeros(1))
    assert len(asked) == 4


def test_a_pass_ends_at_the_block_where_it_is_called_off():
    blocks, asked = Blocks("cpu"), []
    with pytest.raises(Cancelled), heeding(blocks, lambda: asked.append(1) or len(asked) == 2):
        blocks(torch.zeros(1))
    assert len(asked) == 2
    assert blocks(torch.zeros(1)) == 4


def test_blocks_that_may_be_compiled_are_left_alone():
    blocks, asked = Blocks("cuda"), []
    with heeding(blocks, lambda: asked.append(1)):
        blocks(torch.zeros(1))
    assert asked == []
