"""Reads files as the worker does, each in a process of its own: what came, how long, how much.

``python -m tests.stress.media.reading FOLDER`` takes paths, a line each, and answers each with a
line of JSON. Needs ``fork``: Linux and macOS.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from pathlib import Path

import tests.stress  # noqa: F401 (its helpers' folders)

FILE_SECONDS = 20.0  # no file may take longer
MEGABYTES = 600  # nor need more
WHOLE = "whole.mp4"  # in the folder: the clip that files of depth are for
MOST_FRAMES = 300  # of those that a file turns out to have


def main(folder: Path) -> None:
    """Everything is loaded once, before the first fork."""
    from inference_server.engines.registry import load
    from inference_server.reshoot import reshoot

    assert load("projection") and reshoot
    for line in sys.stdin:
        print(json.dumps(_watched(Path(line.rstrip("\n")), folder)), flush=True)


def _watched(file: Path, folder: Path) -> dict:
    began = time.monotonic()
    there, here = os.pipe()
    child = os.fork()
    if not child:
        os.close(there)
        with os.fdopen(here, "w") as out:
            json.dump(_read(file, folder / f"{file.stem[:40]}.take.mp4"), out)
        os._exit(0)
    os.close(here)
    said = b""
    with os.fdopen(there, "rb") as answer:
        while left := max(0.0, began + 1.5 * FILE_SECONDS - time.monotonic()):
            if select.select([answer], [], [], left)[0]:
                if not (piece := os.read(answer.fileno(), 1 << 16)):
                    break
                said += piece
    if not left:
        os.kill(child, signal.SIGKILL)
    _, status, used = os.wait4(child, 0)
    found = json.loads(said) if said else {"end": "hang" if not left else "crash"}
    return {
        "name": file.name,
        "seconds": time.monotonic() - began,
        "megabytes": used.ru_maxrss / 1e6 * (1 if sys.platform == "darwin" else 1024),
        "status": os.waitstatus_to_exitcode(status),
        **found,
    }


def _read(file: Path, out: Path) -> dict:
    """Re-shoot it whole, as ``recam submit`` and then the worker would."""
    from takes import request

    from inference_server.reshoot import reshoot
    from inference_server.video.probe import probe
    from shared.errors import RecamError

    depth = file if file.suffix == ".safetensors" else None
    clip = out.with_name(WHOLE) if depth else file
    try:
        frames = min(probe(clip).frames, MOST_FRAMES)
        result = reshoot([clip], request(frames).shot, out, depth=depth)
    except RecamError as error:
        return {"end": "error", "code": error.code, "sentence": error.sentence, "hint": error.hint}
    except BaseException:
        return {"end": "fault", "why": traceback.format_exc()}
    return {"end": "result", "remarks": result["remarks"], "take": str(out), "frames": frames}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
