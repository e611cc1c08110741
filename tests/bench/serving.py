"""A real `recam serve` in folders of its own, for as long as a benchmark needs it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from shared.client.client import Client

RECAM = [sys.executable, "-m", "inference_server.cli"]


@dataclass(frozen=True)
class Serving:
    """A server that runs: its address, its process, its folders; ``to_welcome`` in seconds."""

    address: str
    process: psutil.Process
    folder: Path
    to_welcome: float

    @property
    def worker(self) -> psutil.Process:
        """The worker process."""
        return self.process.children()[0]


@contextlib.contextmanager
def serving(prepare: Callable[[Path], None] = lambda state: None) -> Iterator[Serving]:
    """Start a server with keys made for it, its worker up; stop it and remove all it wrote.

    prepare: called with the state folder before the server starts.
    """
    with tempfile.TemporaryDirectory(prefix="recam-bench-") as name:
        folder = Path(name)
        before = dict(os.environ)
        os.environ["RECAM_CONFIG"] = str(folder / "config")
        state = folder / "state"
        state.mkdir()
        log = (folder / "log").open("w")
        server = None
        try:
            prepare(state)
            began = time.perf_counter()
            server = subprocess.Popen(
                [*RECAM, "serve", "--port", "0", "--state", str(state)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
            address = server.stdout.readline().split()[-1]
            with Client(address) as client:
                client.server()
                to_welcome = time.perf_counter() - began
                while not client.server()["engines"]:
                    time.sleep(0.05)
            os.environ["RECAM_SERVER"] = address
            yield Serving(address, psutil.Process(server.pid), folder, to_welcome)
        finally:
            if server is not None:
                server.terminate()
                server.wait(20)
                server.stdout.close()
            log.close()
            os.environ.clear()
            os.environ.update(before)
