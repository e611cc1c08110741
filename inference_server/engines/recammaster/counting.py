"""What a size costs with a release, counted in a process of its own: ``python -m`` this module.

Counting hooks into PyTorch as a whole, and so must not happen beside a job that is at work in
another thread. The process never touches a card.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import torch

from inference_server.releases.layout import find_release
from inference_server.releases.modules import checked_tensors, on_meta
from shared.errors import RecamError
from shared.protocol.messages import error_body, error_from

from ..base import estimate_failed
from .memory import Needs
from .reckoning import Counted, Size, count

SECONDS = 120  # for a size, PyTorch's start included


@lru_cache(maxsize=256)
def counted_apart(release: Path, mark: str, size: Size, dtype: torch.dtype) -> Counted:
    """What ``size`` costs with the release at that path.

    mark: its fingerprint, so that other weights under the same name are counted anew.
    RecamError ``weights_broken``, and ``estimate_failed`` where the process says nothing.
    """
    asked = {
        "release": str(release),
        "size": asdict(size),
        "dtype": str(dtype).removeprefix("torch."),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(asked),
            stdout=subprocess.PIPE,
            text=True,
            timeout=SECONDS,
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=True,
        )
        told = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, OSError, ValueError, IndexError):
        raise estimate_failed() from None
    if "code" in told:
        raise error_from(told)
    return Counted(**told | {"needs": Needs(**told["needs"])})


def _count(asked: dict) -> Counted:
    release, dtype = find_release(Path(asked["release"])), getattr(torch, asked["dtype"])
    networks = {
        name: on_meta(name, checked_tensors(release, name)[1]) for name in ("transformer", "vae")
    }
    transformer = networks["transformer"].cast(dtype).requires_grad_(False)
    transformer.fold_projectors()  # as ``Networks`` has it
    vae = torch.nn.Module.to(networks["vae"], dtype)
    return count(transformer, vae, Size(**asked["size"]), dtype)


def main() -> None:
    """One question from stdin, one line of answer."""
    try:
        told = asdict(_count(json.load(sys.stdin)))
    except RecamError as error:
        told = error_body(error)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
