"""A client process, and its death half way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from servers import PATIENCE, ROOT, until

from shared.protocol.limits import CHUNK_BYTES, CREDIT

WINDOW = CREDIT * CHUNK_BYTES  # what a broken transfer may send again
MORE = 1.02  # headers and seals
SENDING = Path(__file__).with_name("sending.py")


def killed_half_way(proxy, way: str, half: float, *arguments) -> None:
    """Run sending.py through the proxy, and kill it once so many bytes went that way."""
    proxy.slow = 0.002
    kind, *rest = map(str, arguments)
    process = subprocess.Popen(
        [sys.executable, SENDING, kind, proxy.address, *rest],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    until(lambda: getattr(proxy, way) > half or process.poll() is not None)
    assert process.poll() is None, "it ended before it was killed"
    process.kill()
    process.wait(PATIENCE)
    proxy.slow = 0.0
