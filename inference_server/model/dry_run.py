"""What a computation would cost, found without doing it: on the meta device."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """operations: of matrix products, convolutions and attention, a multiply-add being two.

    peak_bytes: of the tensors that live at once, those made before not counted. The
    kernels' own work space is not in it.
    """

    operations: int
    peak_bytes: int


def dry_run(compute: Callable[[], object], fused: bool = True) -> Cost:
    """The cost of ``compute()``, which works on tensors of the meta device and keeps its result.

    fused: attention never writes its matrix of scores down, as flash and cuDNN kernels do not;
    without one it has ``heads * queries * keys`` numbers, which the meta device counts.
    """
    counter, live = FlopCounterMode(display=False), _LiveBytes()
    attention = _FusedAttention()
    with torch.no_grad(), counter, live:
        if fused:
            with attention:
                result = compute()
        else:
            result = compute()
    del result
    return Cost(counter.get_total_flops() + attention.operations, live.peak)


class _FusedAttention(TorchFunctionMode):
    """Attention as a fused kernel has it: its result and nothing else."""

    def __init__(self) -> None:
        self.operations = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is not scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        named = dict(zip(("query", "key", "value"), args, strict=False)) | (kwargs or {})
        query, key, value = named["query"], named["key"], named["value"]
        scores = query.shape[:-1].numel() * key.shape[-2]
        self.operations += 2 * scores * (query.shape[-1] + value.shape[-1])
        return query.new_empty(*query.shape[:-1], value.shape[-1])


class _LiveBytes(TorchDispatchMode):
    """Bytes of the storages made inside it that have not been freed, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        given = {id(s) for s in _storages((args, kwargs))}
        out = func(*args, **(kwargs or {}))
        for storage in _storages(out):
            if id(storage) in given or id(storage) in self._seen:
                continue  # a view, or written in place
            self._seen.add(id(storage))
            self.now += storage.nbytes()
            weakref.finalize(storage, self._freed, id(storage), storage.nbytes())
        self.peak = max(self.peak, self.now)
        return out

    def _freed(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


def _storages(tree) -> list[torch.UntypedStorage]:
    return [t.untyped_storage() for t in tree_leaves(tree) if isinstance(t, torch.Tensor)]
