"""A client process that a test kills: sends a file, or fetches a job's take."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.client.client import Client

kind, address, what, *out = sys.argv[1:]
with Client(address) as client:
    if kind == "send":
        client.upload(Path(what)).result()
    else:
        assert client.attach(what, Path(out[0])).wait(60).stage == "finished"
