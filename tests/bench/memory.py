"""Most memory that front, worker and client hold on a 100 s clip, beside a 10 s clip."""

from __future__ import annotations

import subprocess
import time

import psutil

from .clips import write_clip
from .figures import Figure
from .serving import RECAM, serving

SIZE = (384, 216)
GRAIN = 10  # so that the short clip, too, fills the wire's window: 8 MiB under way


def run() -> list[Figure]:
    """A new server for each clip; resident memory, looked at 50 times a second."""
    short, long = _peaks(10), _peaks(100)
    return [
        Figure(
            f"memory of the {who}, 100 s / 10 s",
            long[who] / short[who],
            "",
            most=1.1,
            beside=f"{long[who] / 1e6:.0f} MB / {short[who] / 1e6:.0f} MB",
        )
        for who in short
    ]


def _peaks(seconds: float) -> dict[str, int]:
    """Most bytes resident in each process while a clip of that length is re-shot."""
    with serving() as server:
        clip, out = server.folder / "clip.mp4", server.folder / "out.mp4"
        write_clip(clip, *SIZE, seconds, GRAIN)
        options = ["--camera", "zoom_out", "-o", str(out)]
        client = subprocess.Popen(
            [*RECAM, "submit", str(clip), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        processes = {
            "front": server.process,
            "worker": server.worker,
            "client": psutil.Process(client.pid),
        }
        peaks = dict.fromkeys(processes, 0)
        while client.poll() is None:
            for who, process in processes.items():
                peaks[who] = max(peaks[who], process.memory_info().rss)
            time.sleep(0.02)
        if client.returncode:
            raise RuntimeError(client.stderr.read().decode())
        client.stderr.close()
    return peaks
