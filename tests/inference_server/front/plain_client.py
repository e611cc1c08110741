"""A client written from docs/protocol.md alone: a DEALER, JSON, and nothing of Recam's own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import zmq

CHUNK = 512 * 1024
MILLISECONDS = 30_000


class PlainClient:
    """``config`` is the folder of keys."""

    def __init__(self, address: str, config: Path) -> None:
        self.events: list[dict] = []
        # No context of its own: collected before its socket, it would wait for that for ever.
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        if not (config / "client.key").exists():
            public, secret = zmq.curve_keypair()
            (config / "client.pub").write_bytes(public)
            (config / "client.key").write_bytes(secret)
        self.socket.curve_secretkey = (config / "client.key").read_bytes().strip()
        self.socket.curve_publickey = (config / "client.pub").read_bytes().strip()
        self.socket.curve_serverkey = (config / "server.pub").read_bytes().strip()
        self.socket.linger = 0
        self.socket.connect(address)
        self._number = 0

    def ask(self, kind: str, body: dict, data: bytes | None = None) -> tuple[str, dict, bytes]:
        """Type, body and data of the answer; what else comes meanwhile goes to ``events``."""
        number = self.send(kind, body, data)
        while True:
            header, answer = self.receive()
            if header["re"] == number:
                return header["type"], header["body"], answer
            self.events.append(header)

    def send(self, kind: str, body: dict, data: bytes | None = None) -> int:
        self._number += 1
        header = {"recam": 1, "type": kind, "id": self._number, "re": None, "body": body}
        frames = [json.dumps(header).encode()]
        self.socket.send_multipart(frames if data is None else [*frames, data])
        return self._number

    def receive(self) -> tuple[dict, bytes]:
        assert self.socket.poll(MILLISECONDS), "the server said nothing"
        header, *data = self.socket.recv_multipart()
        return json.loads(header), data[0] if data else b""

    def next_event(self) -> dict:
        header = self.events.pop(0) if self.events else self.receive()[0]
        assert (header["type"], header["re"]) == ("job.state", None)
        return header["body"]

    def upload(self, content: bytes, upload: str) -> str:
        """The whole of a clip; its SHA-256."""
        kind, body, _ = self.ask(
            "blob.put", {"upload": upload, "size": len(content), "sha256": None}
        )
        assert (kind, body) == ("blob.go", {"upload": upload, "offset": 0})
        for offset in range(0, len(content), CHUNK):
            self.chunk(content, offset, upload)
        digest = hashlib.sha256(content).hexdigest()
        kind, body, _ = self.ask("blob.end", {"upload": upload, "sha256": digest})
        assert (kind, body) == ("blob.held", {"sha256": digest})
        return digest

    def chunk(self, content: bytes, offset: int, upload: str) -> None:
        chunk = content[offset : offset + CHUNK]
        head = {
            "upload": upload,
            "offset": offset,
            "sha256": hashlib.sha256(content[: offset + len(chunk)]).hexdigest(),
        }
        kind, body, _ = self.ask("blob.chunk", head, chunk)
        assert (kind, body) == ("blob.ack", {"upload": upload, "offset": offset + len(chunk)})

    def close(self) -> None:
        self.socket.close()
