"""The device to compute on, and the numbers to compute in."""

from __future__ import annotations

import torch

from shared.errors import RecamError


def pick_device(name: str = "auto") -> torch.device:
    """``auto`` is the first CUDA or ROCm card, else Apple's GPU, else the CPU.

    Raises RecamError ``device`` for a name that PyTorch does not know or does not have here.
    """
    if name != "auto":
        try:
            return torch.empty(0, device=name).device
        except (RuntimeError, AssertionError) as error:
            raise RecamError(
                "device",
                f"PyTorch cannot compute on {name!r}: {str(error).splitlines()[0]}",
                "`recam doctor` lists the devices that it finds.",
            ) from None
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    return torch.device("mps", 0) if torch.backends.mps.is_available() else torch.device("cpu")


def device_name(device: torch.device) -> str:
    """What people call it, after a "the"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return "Apple GPU" if device.type == "mps" else "server's processor"


def pick_dtype(device: torch.device) -> torch.dtype:
    """bf16 on cards, as the public code runs; float32 on the CPU, where bf16 is no faster."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16
