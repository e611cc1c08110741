"""Tensors out of a file, safely: nothing that a file contains is ever run."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from shared.errors import RecamError

from .layout import part_files

# What trainers wrap a state dict in, and what wrapped modules put before their tensors' names.
_WRAPPERS = ("state_dict", "model_state_dict", "model_state", "model", "module")
_PREFIXES = {
    *("module", "model", "diffusion_model", "pipe", "dit"),
    *("transformer", "vae", "text_encoder"),
}
_WRAPPED = re.compile(r"\b(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\.")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, of an index and its shards, or of a torch checkpoint.

    In the dtypes that the file has, mapped from disk where the format allows it, so that memory
    is taken only by what is used. Wrappers around the state dict are taken off, and what all
    names begin with (``pipe.dit.``, ``module.``). RecamError ``weights_broken`` for a file that
    is cut short, of another kind, or not weights alone.
    """
    parts = part_files(path)[1:] if path.name.endswith(".index.json") else [path]
    tensors: dict[str, Tensor] = {}
    for part in parts:
        tensors |= _read(part)
    if not tensors:
        raise broken(path, "it holds no tensors")
    return _plain_names(tensors)


def check_finite(tensors: dict[str, Tensor], path: Path) -> None:
    """RecamError ``weights_broken`` if a number in ``tensors``, read from ``path``, is not."""
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not tensor.numel():
            continue
        # A NaN anywhere makes both ends NaN; far quicker than asking every number.
        ends = torch.aminmax(tensor.float() if tensor.itemsize == 1 else tensor)
        if not all(end.isfinite() for end in ends):
            raise broken(path, f"the tensor {name} holds numbers that are not finite")


def broken(path: Path, reason: str, hint: str = "") -> RecamError:
    """The error for weights that cannot be used."""
    return RecamError(
        "weights_broken",
        f"The weights in {path} cannot be used: {reason}.",
        hint or "Fetch the file again, or take another one.",
    )


def _read(path: Path) -> dict[str, Tensor]:
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise broken(path, f"it cannot be read ({error.strerror})") from error
    try:
        if start[8:] == b"{":
            return _read_safetensors(path)
        if start[:4] == b"PK\x03\x04" or start[:1] == b"\x80":
            return _read_checkpoint(path, mapped=start[:2] == b"PK")
    except Exception as error:  # a damaged file can make a reader fail in any way
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise  # the file may be whole
        raise _in_words(path, error) from error
    raise broken(path, f"it is no file of weights, it begins with {start!r}")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _read_checkpoint(path: Path, mapped: bool) -> dict[str, Tensor]:
    content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    if not isinstance(content, dict):
        return {}
    while wrapper := next((w for w in _WRAPPERS if isinstance(content.get(w), dict)), None):
        content = content[wrapper]
    return {name: value.detach() for name, value in content.items() if torch.is_tensor(value)}


def _in_words(path: Path, error: Exception) -> RecamError:
    if asked := re.search(r"GLOBAL (\S+)", str(error)):
        return broken(
            path,
            f"it is not weights alone, it asks for {asked[1]}; nothing in it was run",
            "Save its state dict alone, best as safetensors, or ask its maker for that.",
        )
    return broken(path, "it is cut short or damaged")


def _plain_names(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    named = {_WRAPPED.sub("", name): tensor for name, tensor in tensors.items()}
    while len(first := {name.partition(".")[0] for name in named}) == 1 and first <= _PREFIXES:
        named = {name.partition(".")[2]: tensor for name, tensor in named.items()}
    return named
