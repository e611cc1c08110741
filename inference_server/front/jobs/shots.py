"""Reads a long shot, which was sent as a file, in a process of its own: it takes ten times its size
in memory, and the front keeps what it has once used.

``python -m inference_server.front.jobs.shots`` reads a shot from stdin, and writes how many
frames it has, or what is wrong with it, to stdout, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shared.errors import RecamError
from shared.protocol.limits import SHOT_BYTES
from shared.protocol.messages import error_body, error_from
from shared.protocol.request import JobRequest
from shared.protocol.strict_json import bad

log = logging.getLogger(__name__)

SECONDS = 60.0
CODE = Path(__file__).resolve().parents[3]
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="recam-shot")  # clips do not wait behind it


@dataclass(frozen=True)
class Counted:
    """Stands for a shot that was read elsewhere, and is right."""

    trajectory: range


def long_size(file: Path) -> int:
    """Bytes of a long shot; RecamError ``bad_message`` for more than one may have, OSError."""
    size = file.stat().st_size
    if size > SHOT_BYTES:
        raise bad(f"has a shot of {size} bytes; {SHOT_BYTES} is the most")
    return size


async def read_long(body: dict, file: Path) -> tuple[JobRequest, bytes]:
    """``JobRequest.from_message`` but for the shot itself, and the shot as it was sent.

    Takes a second or more, and waits for those before it. Raises FileNotFoundError, and RecamError:
    as that does, and ``server_busy`` where the machine, not the shot, is in the way.
    """
    return await asyncio.get_running_loop().run_in_executor(_THREAD, _read, body, file)


def _read(body: dict, file: Path) -> tuple[JobRequest, bytes]:
    try:
        with file.open("rb", buffering=0) as shot:
            frames = _count_frames(shot)
            shot.seek(0)
            data = shot.read()
    except (subprocess.SubprocessError, OSError) as error:
        if not file.is_file():
            raise FileNotFoundError(file) from None
        log.error("a long shot cannot be read now: %s", error)
        raise RecamError(
            "server_busy",
            "The server cannot read the shot now: its machine has no time, memory or files for it.",
            "Send it again later.",
        ) from None
    asked = {**body, "parts": tuple(body["parts"]), "shot": Counted(range(frames))}
    return JobRequest(**asked), data


def _count_frames(shot: BinaryIO) -> int:
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        stdin=shot,
        stdout=subprocess.PIPE,
        timeout=SECONDS,
        cwd=CODE,
        check=True,
    )
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise error_from(answer["error"])
    return answer["frames"]


def main() -> None:
    """See the module."""
    try:
        request = JobRequest.from_message({"parts": []}, sys.stdin.buffer.read())
        answer = {"frames": request.frames}
    except RecamError as error:
        answer = {"error": error_body(error)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
