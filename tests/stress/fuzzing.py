"""Run by ``messages``: atheris on a reader of what strangers send, until so many runs are done.

``python -m tests.stress.fuzzing header|shot FOLDER RUNS``; status 3 where atheris is missing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    print("atheris is not installed (pip install '.[stress]'; Linux, Python 3.11)")
    sys.exit(3)

from .mutating import BODIES, DATA, SHOT

with atheris.instrument_imports(include=["shared"]):
    from shared.errors import RecamError
    from shared.protocol.messages import unpack
    from shared.protocol.request import JobRequest
    from shared.protocol.schema import check_answer, check_request


def header(data: bytes) -> None:
    """As the front and the client read a message."""
    for check in (check_request, check_answer):
        try:
            check(unpack([data]))
        except RecamError as error:
            assert len(str(error)) < 2000 and str(error).isprintable()


def shot(data: bytes) -> None:
    """As the front reads a job."""
    try:
        JobRequest.from_message(BODIES["job.submit"], data)
    except RecamError as error:
        assert len(str(error)) < 2000


def main() -> None:
    """Fuzz, beginning with messages as they should be."""
    what, folder, runs = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    if what == "header":
        seeds = [
            json.dumps({"recam": 1, "type": kind, "id": 1, "re": None, "body": body}).encode()
            for kind, body in BODIES.items()
        ]
    else:
        seeds = [DATA["job.submit"], json.dumps(SHOT | {"source_camera": None}).encode()]
    for number, seed in enumerate(seeds):
        (folder / f"{number}").write_bytes(seed)
    limits = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8192", "-print_final_stats=1"]
    target = {"header": header, "shot": shot}[what]
    atheris.Setup([sys.argv[0], f"-runs={runs}", *limits, str(folder)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
