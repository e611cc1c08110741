"""When memory runs out all the same: the next mode, and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from .memory import Needs, choose_mode, free_bytes
from .networks import Networks, give_back

Result = TypeVar("Result")

# How a mode works, for people: there is on the device.
HOW = {
    "resident": "with the networks there together",
    "offload": "with one network there at a time",
    "streamed": "with the transformer's blocks there one after the other",
}


class StepDown:
    """Runs a job's parts, each again in the next lower mode when the device's memory runs out.

    remarks: grows by a sentence for every step down. cache: the step cache's threshold, which
    goes first and is 0 from then on.
    """

    def __init__(
        self, networks: Networks, needs: Needs, remarks: list[str], cache: float = 0.0
    ) -> None:
        self._networks, self._needs, self._remarks = networks, needs, remarks
        self.cache = cache

    def run(self, part: Callable[[], Result]) -> Result:
        """What ``part()`` gives. Raises RecamError ``memory_short`` where no lower mode is left."""
        while True:
            try:
                return part()
            except Exception as error:
                self.after(error)

    def after(self, error: Exception) -> None:
        """Step down if memory ran out; raise ``error`` if it is another."""
        if not is_out_of_memory(error):
            raise error
        # The traceback holds the frames that hold the tensors.
        error.__traceback__ = None
        give_back(self._networks.device)
        if self.cache:
            self.cache = 0.0
            self._remarks.append(
                "The device ran out of memory; the rest was made without the step cache."
            )
            return
        free, mode = free_bytes(self._networks.device), self._networks.mode
        self._networks.mode = choose_mode("auto", self._needs, free, after=mode)
        self._remarks.append(
            f"The device ran out of memory {HOW[mode]}; the rest was made "
            f"{HOW[self._networks.mode]}."
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the machine, had no memory left: PyTorch says it in several ways."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)
