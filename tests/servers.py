"""A real server process on a free port, with keys and state of its own; and a way to its jobs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 60.0  # seconds until a test gives up; never reached where all is well


class Server:
    """``recam serve`` below ``folder``. Killed and started again, it keeps its port and state."""

    def __init__(self, folder: Path) -> None:
        self.config, self.state = folder / "config", folder / "state"
        self.log = folder / "server.log"
        self.port = 0
        self.address = ""
        self.inside: list[str] = []  # a command that runs the one that follows it
        self.process: subprocess.Popen | None = None
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process this server's user."""
        return os.environ | {
            "RECAM_CONFIG": str(self.config),
            "RECAM_STATE": str(self.state),
            "RECAM_SERVER": self.address,
        }

    def start(self, code: Path = ROOT, more: Sequence[str] = ()) -> Server:
        """Start it from that folder's code, and wait until it listens.

        more: arguments for ``recam serve``.
        """
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*self.inside, *recam("serve", "--port", self.port, *more)],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=code,
            )
        said = self.process.stdout.readline()
        assert said, f"the server did not start:\n{self.log.read_text()}"
        self.address = said.split()[-1]
        self.port = int(self.address.rpartition(":")[2])
        return self

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self._gone(PATIENCE)

    def stop(self, seconds: float = PATIENCE) -> int:
        """Ask it to end, as the system does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._gone(seconds)

    def worker(self, lane: str = "preview"):
        """The worker process of a lane, for psutil, as soon as there is one."""
        return until(lambda: next((w for w in self.workers() if lane in w.info["cmdline"]), None))

    def workers(self) -> list:
        """Its worker processes, for psutil; none that has ended."""
        import psutil

        children = psutil.Process(self.process.pid).children()
        for child in children:
            child.info = child.as_dict(["cmdline", "status"], ad_value=())
        return [child for child in children if child.info["status"] != psutil.STATUS_ZOMBIE]

    def run(self, *arguments, **more) -> subprocess.CompletedProcess:
        """``recam …`` as this server's user."""
        more = {"env": self.environment, "timeout": PATIENCE, **more}
        return subprocess.run(
            recam(*arguments), capture_output=True, text=True, cwd=ROOT, check=False, **more
        )

    def _gone(self, seconds: float) -> int:
        try:
            return self.process.wait(seconds)
        finally:
            self.process.stdout.close()


def recam(*arguments) -> list[str]:
    """The command line of ``recam …``; Blender's Python is told where the server's is."""
    python = os.environ.get("RECAM_SERVER_PYTHON", sys.executable)
    return [python, "-m", "inference_server.cli", *map(str, arguments)]


def until(condition, seconds: float = PATIENCE):
    """What ``condition`` gives once it gives something; the test fails if it never does."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found
