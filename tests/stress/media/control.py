"""That the playlists and references do lead elsewhere, for who opens them without Recam's rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .parts import Case
from .seeds import SECRET

NAMES = ("hls-path.m3u8", "concat-beside.ffconcat", "concat-address.ffconcat", "mov-alis-path.mov")
_OPEN = """
import sys, av
free = {"enable_drefs": "1", "use_absolute_path": "1", "safe": "0", "allowed_extensions": "ALL",
        "extension_picky": "0", "protocol_whitelist": "file,http,tcp"}
with av.open(sys.argv[1], container_options=free) as file:
    picture = next(file.decode(video=0)).to_ndarray(format="rgb24")
print(*picture.reshape(-1, 3).mean(0))
"""


def lead_there(folder: Path, cases: list[Case]) -> int:
    """How many of ``NAMES`` show the clip that nobody sent, opened by FFmpeg as it comes."""
    shown = 0
    for case in cases:
        if case.name in NAMES:
            (folder / case.name).write_bytes(case.data)
            command = [sys.executable, "-c", _OPEN, str(folder / case.name)]
            said = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
            colour = [float(word) for word in said.split()]
            shown += (
                len(colour) == 3
                and max(abs(a - b) for a, b in zip(colour, SECRET, strict=True)) < 25
            )
    return shown
