"""A client process that sends one clip or fetches one job's takes, to be killed at it.

``python -m tests.stress.transfer send FILE`` or ``fetch JOB OUT``; the environment tells the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

from shared.client.client import Client

SECONDS = 100.0


def main(what: str, name: str, out: str = "") -> None:
    """Do it; an exception where it fails."""
    with Client() as client:
        if what == "send":
            client.upload(Path(name)).result(SECONDS)
        elif (state := client.attach(name, Path(out)).wait(SECONDS)).stage != "finished":
            raise SystemExit(str(state))


if __name__ == "__main__":
    main(*sys.argv[1:])
