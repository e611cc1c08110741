"""Reads a long shot in a process of its own: it takes ten times its size in memory, and the front
keeps what it has once used.

``python -m inference_server.front.jobs.shots`` reads a shot from stdin, and writes how many
frames it has, or what is wrong with it, to stdout, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from shared.errors import RecamError
from shared.protocol.messages import error_body, error_from
from shared.protocol.request import JobRequest
from shared.protocol.strict_json import bad

LONG_BYTES = 512 * 1024
SECONDS = 60.0
CODE = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Counted:
    """Stands for a shot that was read elsewhere, and is right."""

    trajectory: range


def is_long(shot: bytes | memoryview) -> bool:
    """Whether reading it here would cost too much."""
    return len(shot) > LONG_BYTES


def read_long(body: dict, shot: memoryview) -> JobRequest:
    """``JobRequest.from_message`` but for the shot itself. Takes a second or more: for a thread."""
    frames = _count_frames(shot)
    return JobRequest(**{**body, "parts": tuple(body["parts"])}, shot=Counted(range(frames)))


def _count_frames(shot: memoryview) -> int:
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=shot,
            stdout=subprocess.PIPE,
            timeout=SECONDS,
            cwd=CODE,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        raise bad("has a shot that cannot be read here in its time and memory") from None
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
