"""What the artist is told of an order that failed."""

from __future__ import annotations

import errno

import pytest
import torch

from inference_server.worker.faults import error_of

ORDER = {
    "name": "harbour",
    "engine": "projection",
    "clips": ["/state/clips/me/0123"],
    "depth": None,
    "start": None,
    "out": "/state/jobs/x/take.mp4",
}


@pytest.mark.parametrize(
    "too_much",
    [
        lambda: bytearray(1 << 60),
        lambda: torch.empty(1 << 55),
        lambda: _raise(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")),
    ],
)
def test_no_memory_left_is_told_as_such_whoever_says_it(too_much):
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        too_much()
    told = error_of(caught.value, ORDER)
    assert told.code == "out_of_memory" and "harbour" in told.sentence


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("shapes differ"), OSError(5, "no")])
def test_another_mistake_is_the_engines(error):
    told = error_of(error, ORDER)
    assert told.code == "engine_fault" and "harbour" in told.sentence


def test_no_room_left_is_told_as_such_whoever_says_it():
    told = error_of(OSError(errno.ENOSPC, "No space left on device"), ORDER)
    assert told.code == "result_unwritable" and "full" in told.sentence


def _raise(error):
    raise error
