"""Many clients of one server, each with a key of its own; sockets alone, in this process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import zmq
from servers import Server

from shared.protocol.limits import CHUNK_BYTES, CREDIT

# For an answer. Where many do not read, the 40 chunks that the front keeps unsent in all come free
# when it cuts them, after 10 to 13 seconds; of a hundred it has three lots to cut.
SECONDS = 120


class Peer:
    """One client. It reads only when it is told to."""

    def __init__(self, context: zmq.Context, server: Server) -> None:
        public, secret = zmq.curve_keypair()
        self.key = public.decode()
        clients = server.config / "clients"
        clients.mkdir(exist_ok=True)
        (clients / f"{secrets.token_hex(8)}.pub").write_bytes(public)
        self.socket = context.socket(zmq.DEALER)
        self.socket.curve_publickey, self.socket.curve_secretkey = public, secret
        self.socket.curve_serverkey = (server.config / "server.pub").read_bytes().strip()
        self.socket.linger = 0
        # What it does not read lies at the server, not here.
        self.socket.rcvhwm, self.socket.rcvbuf = 1, 64 * 1024
        self.socket.connect(server.address)
        self._number = 0
        self.sent = ""  # SHA-256 of its last upload

    def send(self, kind: str, body: dict, data: bytes | None = None) -> int:
        """Send a request; its number."""
        self._number += 1
        header = {"recam": 1, "type": kind, "id": self._number, "re": None, "body": body}
        frames = [json.dumps(header).encode()]
        self.socket.send_multipart(frames if data is None else [*frames, data])
        return self._number

    def receive(self) -> tuple[str, dict, bytes]:
        """Type, body and data of the next message."""
        if not self.socket.poll(SECONDS * 1000):
            raise TimeoutError("the server said nothing")
        header, *data = self.socket.recv_multipart()
        header = json.loads(header)
        return header["type"], header["body"], data[0] if data else b""

    def ask(self, kind: str, body: dict, data: bytes | None = None) -> tuple[str, dict, bytes]:
        """A request and its answer."""
        self.send(kind, body, data)
        return self.receive()

    def hello(self) -> None:
        """Be welcomed."""
        assert self.ask("hello", {"protocol": 1, "client": "crowd"})[0] == "welcome"

    def begin(self, size: int) -> Iterator[None]:
        """Upload so many random bytes; each step sends a chunk, or is refused for now."""
        piece = bytearray(os.urandom(CHUNK_BYTES))

        def chunk(offset: int) -> bytes:
            piece[:8] = offset.to_bytes(8, "big")
            return bytes(piece[: size - offset])

        yield from self._upload(size, chunk)

    def upload(self, content: bytes) -> str:
        """The whole of a file; its SHA-256."""
        for _ in self._upload(len(content), lambda offset: content[offset : offset + CHUNK_BYTES]):
            pass
        return self.sent

    def _upload(self, size: int, chunk_at: Callable[[int], bytes]) -> Iterator[None]:
        upload, digest, under_way = secrets.token_hex(16), hashlib.sha256(), 0
        wanted = {"upload": upload, "size": size, "sha256": None}
        while (told := self.ask("blob.put", wanted))[1].get("code") == "server_full":
            yield  # and try again
        assert told[0] == "blob.go", told
        for offset in range(0, size, CHUNK_BYTES):
            digest.update(chunk := chunk_at(offset))
            head = {"upload": upload, "offset": offset, "sha256": digest.hexdigest()}
            if under_way == CREDIT:
                self._acknowledged()
                under_way -= 1
            self.send("blob.chunk", head, chunk)
            under_way += 1
            yield
        for _ in range(under_way):
            self._acknowledged()
        end = {"upload": upload, "sha256": digest.hexdigest()}
        assert self.ask("blob.end", end)[0] == "blob.held"
        self.sent = digest.hexdigest()

    def _acknowledged(self) -> None:
        kind, *_ = told = self.receive()
        assert kind == "blob.ack", told


@contextlib.contextmanager
def crowd(count: int) -> Iterator[tuple[Server, list[Peer]]]:
    """A server, and so many clients that it has welcomed."""
    with tempfile.TemporaryDirectory(prefix="recam-stress-") as name:
        server = Server(Path(name) / "server").start()
        context = zmq.Context()
        try:
            peers = [Peer(context, server) for _ in range(count)]
            for peer in peers:
                peer.hello()
            yield server, peers
        finally:
            context.destroy(linger=0)
            if server.process.poll() is None:
                server.kill()


class Peak:
    """Most bytes that a process has had resident; looked at 50 times a second, inside ``with``."""

    def __init__(self, server: Server) -> None:
        self._process = psutil.Process(server.process.pid)
        self.before = self.bytes = self._process.memory_info().rss
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *exc) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            with contextlib.suppress(psutil.NoSuchProcess):
                self.bytes = max(self.bytes, self._process.memory_info().rss)


def settled(look, seconds: float, limit: float = 60.0) -> None:
    """Wait until ``look()`` has given the same for so many seconds, ``limit`` at the most."""
    end, last, since = time.monotonic() + limit, object(), time.monotonic()
    while (now := time.monotonic()) < end and now - since < seconds:
        if (seen := look()) != last:
            last, since = seen, now
        time.sleep(0.1)
