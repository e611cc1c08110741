"""What a worker computes on and how full it is, told to the front now and then."""

from __future__ import annotations

import sys
import threading
import time

from .pipes import Pipes

PAUSE_SECONDS = 5.0


def follow(pipes: Pipes) -> None:
    """Tell it whenever it has changed, in a thread; nothing before PyTorch is at work."""
    threading.Thread(target=_follow, args=(pipes,), name="recam-device", daemon=True).start()


def _follow(pipes: Pipes) -> None:
    told = {}
    while True:
        if (found := device()) != told:
            pipes.say("device", device=found)
            told = found
        time.sleep(PAUSE_SECONDS)


def device() -> dict:
    """``name``, and where it has memory of its own ``memory`` and ``memory_used``, in bytes.

    Empty while this process has not imported PyTorch, which it is not made to do. The memory used
    is that of every process on the card.
    """
    torch = sys.modules.get("torch")
    try:
        if torch is None:
            return {}
        if torch.cuda.is_initialized():
            free, total = torch.cuda.mem_get_info()
            name = torch.cuda.get_device_name()
            return {"name": name, "memory": total, "memory_used": total - free}
        if torch.backends.mps.is_available():
            total = torch.mps.recommended_max_memory()
            used = torch.mps.driver_allocated_memory()
            return {"name": "Apple GPU", "memory": total, "memory_used": used}
    except (AttributeError, RuntimeError):  # it is just being imported, or the card has failed
        return {}
    return {"name": "processor"}
