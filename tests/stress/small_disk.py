"""A server whose state lies on a disk of its own, small enough to fill; Linux alone."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from servers import ROOT, Server, recam

MIB = 2**20
# No rights are needed for a disk in memory that this process and its children alone can see.
_ALONE = ["unshare", "--user", "--map-root-user", "--mount"]
_MOUNTED = 'mount -t tmpfs -o size="$1" recam "$2" && shift 2 && exec "$@"'

# In a copy of the code: a worker that is silent is waited for seconds, not minutes.
_IMPATIENT = '\nPATIENCE_SECONDS["projection"][""] = {seconds}\n'


def possible() -> str:
    """Why there cannot be such a disk here; empty where there can."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "it needs Linux and unshare"
    tried = subprocess.run([*_ALONE, "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


class SmallDisk(Server):
    """``recam serve`` on a disk of ``mib`` MiB, with a worker that may be silent for ``patience``
    seconds; the disk goes with the process."""

    def __init__(self, folder: Path, mib: int, patience: float) -> None:
        super().__init__(folder)
        self._mib = mib
        self.state.mkdir()
        self._code = folder / "code"
        for package in ("inference_server", "shared"):
            ignored = shutil.ignore_patterns("__pycache__", "miniature")
            shutil.copytree(ROOT / package, self._code / package, ignore=ignored)
        with (self._code / "inference_server/engines/registry.py").open("a") as file:
            file.write(_IMPATIENT.format(seconds=patience))

    def start(self) -> SmallDisk:
        """Start it, and wait until it listens."""
        serve = recam("serve", "--port", self.port)
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*_ALONE, "sh", "-c", _MOUNTED, "sh", f"{self._mib}m", str(self.state), *serve],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self._code,
            )
        said = self.process.stdout.readline()
        assert said, f"the server did not start:\n{self.log.read_text()}"
        self.address = said.split()[-1]
        self.port = int(self.address.rpartition(":")[2])
        return self

    @property
    def disk(self) -> Path:
        """The disk, as it can be reached from outside."""
        return Path(f"/proc/{self.process.pid}/root") / self.state.relative_to("/")

    @contextlib.contextmanager
    def full(self):
        """Inside, there is not a byte left on it."""
        ballast = self.disk / "ballast"
        try:
            with ballast.open("wb") as file:
                end = 0
                for piece in (16 * MIB, 4096):
                    with contextlib.suppress(OSError):
                        while True:
                            os.posix_fallocate(file.fileno(), end, piece)
                            end += piece
            yield
        finally:
            ballast.unlink()
