"""A server that says whatever a test wants, on the real wire: full, slow, or out to do harm."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable

import zmq

from shared.protocol.keys import server_keys

Answer = tuple[str, dict] | tuple[str, dict, bytes] | None

WELCOME = {"protocol": 1, "server": "recam 0", "engines": [], "chunk_bytes": 1 << 19, "credit": 8}


class OddServer:
    """Answers each type of message as ``says`` tells: an answer, a function of body and data that
    makes one, or None for silence. What is not told there it does as well as it goes.

    asked: the types that came, in order. delivered: the jobs that were told of.
    """

    def __init__(self, **says: Answer | Callable[[dict, bytes], Answer]) -> None:
        self.says = {kind.replace("_", "."): answer for kind, answer in says.items()}
        self.asked: list[str] = []
        self.delivered: list[str] = []
        self.take = b"the take " * 1000
        self._file = b""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        keys = server_keys()
        self._socket.curve_server = True
        self._socket.curve_publickey, self._socket.curve_secretkey = keys.public, keys.secret
        self._socket.linger = 0
        self.address = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def state(self, job: str, **other) -> dict:
        """The body of a job's state: finished, with one take."""
        take = {
            "size": len(self.take),
            "sha256": hashlib.sha256(self.take).hexdigest(),
            "width": 96,
            "height": 64,
            "content_size": [96, 64],
            "frames": 8,
            "report": {},
        }
        return {
            "job": job,
            "name": "clip",
            "stage": "finished",
            "doing": "",
            "step": 0,
            "steps": 0,
            "seconds_left": None,
            "picture": 0,
            "remarks": [],
            "ahead": 0,
            "engine": "projection",
            "engine_reason": "",
            "result": {"takes": [take], "rate": "25", "remarks": [], "seconds": 1.0},
            "error": None,
            "accepted": 0.0,
            "ended": 1.0,
            **other,
        }

    def __enter__(self) -> OddServer:
        return self

    def __exit__(self, *exc) -> None:
        self._over.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _serve(self) -> None:
        while not self._over.is_set():
            if not self._socket.poll(20):
                continue
            sender, header, *data = self._socket.recv_multipart()
            message = json.loads(header)
            self.asked.append(message["type"])
            kind = message["type"]
            told = self.says[kind] if kind in self.says else getattr(self, _method(kind))
            answer = told(message["body"], data[0] if data else b"") if callable(told) else told
            if answer is not None:
                kind, body, *more = answer
                head = {"recam": 1, "type": kind, "id": 0, "re": message["id"], "body": body}
                self._socket.send_multipart([sender, json.dumps(head).encode(), *more])

    def _hello(self, body, data) -> Answer:
        return "welcome", WELCOME

    def _blob_have(self, body, data) -> Answer:
        return "blob.missing", {"sha256": body["sha256"]}

    def _blob_put(self, body, data) -> Answer:
        self._file = b""
        return "blob.go", {"upload": body["upload"], "offset": 0}

    def _blob_chunk(self, body, data) -> Answer:
        self._file += data
        return "blob.ack", {"upload": body["upload"], "offset": len(self._file)}

    def _blob_end(self, body, data) -> Answer:
        return "blob.held", {"sha256": body["sha256"]}

    def _blob_drop(self, body, data) -> Answer:
        return "blob.dropped", {"upload": body["upload"]}

    def _job_submit(self, body, data) -> Answer:
        return "job.accepted", {"job": body["job"]}

    def _job_attach(self, body, data) -> Answer:
        return "job.state", self.state(body["job"])

    def _job_cancel(self, body, data) -> Answer:
        return "job.state", self.state(body["job"], stage="cancelled", result=None)

    def _result_get(self, body, data) -> Answer:
        offset = body["offset"]
        piece = self.take[offset : offset + (1 << 19)]
        head = {"job": body["job"], "take": body["take"], "offset": offset}
        return "result.chunk", head, piece

    def _result_delivered(self, body, data) -> Answer:
        self.delivered.append(body["job"])
        return "job.state", self.state(body["job"])


def _method(kind: str) -> str:
    return "_" + kind.replace(".", "_")
