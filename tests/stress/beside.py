"""What one client sends, and another asks, while a crowd has the server busy."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from servers import Server

from shared.client.client import Client
from shared.protocol.request import new_id

from .plan import Job

ASK_SECONDS = 0.2  # from one question to the next


class Beside:
    """Meanwhile one client sends a large file and another asks and cancels; both in threads.

    times: seconds until each answer, by what was asked. sent: seconds that the file took.
    """

    def __init__(self, server: Server, sender: Path, asker: Path, size: int, clip: Path) -> None:
        self.times: dict[str, list[float]] = {"a question": [], "a cancel": []}
        self.sent = 0.0
        self._over = threading.Event()
        self._file = sender / "large"
        with self._file.open("wb") as file:
            file.write(os.urandom(1 << 20))
            file.truncate(size)
        self._clip = clip
        self._sender, self._asker = (
            client_of(folder, server.address) for folder in (sender, asker)
        )
        self._threads = [threading.Thread(target=work) for work in (self._send, self._ask)]

    def __enter__(self) -> Beside:
        for thread in self._threads:
            thread.start()
        return self

    def finish(self) -> None:
        """Wait for the file's end, and ask no more."""
        self._threads[0].join()
        self._over.set()
        self._threads[1].join()

    def __exit__(self, *exc) -> None:
        self._over.set()
        self._sender.close()
        self._asker.close()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        began = time.monotonic()
        self._sender.upload(self._file).result()
        self.sent = time.monotonic() - began

    def _ask(self) -> None:
        while not self._over.wait(ASK_SECONDS):
            self._timed("a question", "server.info", {})
            request = Job(new_id(), 0, "tiny", 5, 0, 1, "").request()
            job = self._asker.shoot(request, [self._clip], self._file.with_name("take.mp4"))
            while job.state.stage not in ("queued", "rendering") and not job.state.ended:
                time.sleep(0.01)
            self._timed("a cancel", "job.cancel", {"job": job.id})

    def _timed(self, what: str, kind: str, body: dict) -> None:
        began = time.monotonic()
        self._asker.ask(kind, body, 60.0).result()
        self.times[what].append(time.monotonic() - began)


def client_of(folder: Path, address: str, server_key: bytes | None = None) -> Client:
    """A client with the keys of that folder, which pins the server's key in it, or another."""
    before = os.environ.get("RECAM_CONFIG")
    os.environ["RECAM_CONFIG"] = str(folder)
    try:
        return Client(address, server_key or (folder / "server.pub").read_bytes())
    finally:
        if before is None:
            del os.environ["RECAM_CONFIG"]
        else:
            os.environ["RECAM_CONFIG"] = before
