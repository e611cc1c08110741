"""Which devices this machine could compute on."""

from __future__ import annotations

import importlib.util
import os
import shutil


def devices() -> list[str]:
    """A sentence for each device: CUDA, ROCm, MPS, CPU. Imports torch where it is installed."""
    cpu = f"The CPU has {os.cpu_count()} threads."
    if importlib.util.find_spec("torch") is None:
        return [_card_without_torch(), cpu]
    try:
        import torch
    except Exception as error:  # a broken install may raise anything
        return [f"PyTorch is installed but cannot be imported ({error}).", cpu]
    found = []
    if torch.cuda.is_available():
        kind = "ROCm" if torch.version.hip else "CUDA"
        for index in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(index)
            memory = card.total_memory / 2**30
            found.append(f"{kind} device {index}: {card.name}, {memory:.0f} GiB.")
    if torch.backends.mps.is_available():
        found.append("MPS: an Apple GPU.")
    return [*(found or ["PyTorch finds no GPU (no CUDA, ROCm or MPS device)."]), cpu]


def _card_without_torch() -> str:
    for tool, kind in (("nvidia-smi", "NVIDIA"), ("rocm-smi", "AMD")):
        if shutil.which(tool):
            return f"There seems to be an {kind} card ({tool} is installed); PyTorch can tell more."
    return "Without PyTorch no GPU can be looked for; no NVIDIA or AMD tools are installed."
