"""A server that answers nonsense, and a client that follows its jobs all the same."""

from __future__ import annotations

import copy
import json
import os
import threading
from fractions import Fraction
from pathlib import Path

import zmq

from shared.client import connection
from shared.client.client import Client
from shared.errors import RecamError
from shared.protocol.keys import client_keys, server_keys
from shared.protocol.limits import CHUNK_BYTES
from shared.protocol.request import new_id
from shared.protocol.schema import ANSWERED_BY

from .mutating import ID, SHA256, Mutator
from .table import Row

TOLD = 3 * CHUNK_BYTES  # bytes that a take is said to have
_TAKE = {"size": TOLD, "sha256": SHA256, "width": 64, "height": 48, "frames": 5, "report": {}}
_ABOUT = {"protocol": 1, "server": "false", "engines": [], "trouble": ""}
_STATE = {
    "job": ID, "name": "clip", "stage": "finished", "doing": "", "step": 0, "steps": 0,
    "seconds_left": None, "picture": 1, "remarks": ["A remark."], "ahead": 0, "engine": "auto",
    "engine_reason": "", "result": {"takes": [_TAKE], "rate": "25", "remarks": [], "seconds": 1.0},
    "error": None, "accepted": 1.0, "ended": 1.0,
}  # fmt: skip
_ESTIMATE = {
    "engine": "auto", "engine_reason": "", "seconds": None, "device": "", "memory": None,
    "memory_available": None, "ahead": 0, "ahead_seconds": None, "sentences": [],
}  # fmt: skip
ANSWERS = {
    "welcome": _ABOUT,
    "server.info": _ABOUT,
    "job.state": _STATE,
    "job.list": {"jobs": [_STATE]},
    "job.estimate": _ESTIMATE,
    "job.picture": {"job": ID, "number": 1, "width": 2, "height": 2},
    "result.chunk": {"job": ID, "take": 0, "offset": 0},
    "error": {"code": "no_such_job", "sentence": "There is none.", "hint": ""},
}


def answers(folder: Path, count: int) -> list[Row]:
    """Ask ``count`` times, and follow a job now and then; every answer has something wrong.

    folder: the client's own, and not there yet.
    """
    before = os.environ.get("RECAM_CONFIG")
    os.environ["RECAM_CONFIG"] = str(folder / "artist")
    pauses, connection.REFUSED_SECONDS = connection.REFUSED_SECONDS, (0.01, 0.02)
    server = _FalseServer()
    takes = folder / "takes"
    takes.mkdir(parents=True)
    codes: dict[str, int] = {}
    try:
        with Client(server.address) as client:
            for number in range(count):
                code = _ask(client, number, takes)
                codes[code] = codes.get(code, 0) + 1
    finally:
        server.close()
        connection.REFUSED_SECONDS = pauses
        if before is None:
            del os.environ["RECAM_CONFIG"]
        else:
            os.environ["RECAM_CONFIG"] = before
    faults = sum(codes[code] for code in codes if code.startswith(("!", "client_fault")))
    largest = max((file.stat().st_size for file in takes.iterdir()), default=0)
    elsewhere = sorted({file.name for file in folder.iterdir()} - {"artist", "takes"})
    return [
        Row(
            f"a client of a server that answers nonsense {server.answered:,} times: its own faults",
            str(faults) if not faults else str(codes),
            "0",
            not faults,
        ),
        Row(
            "the largest file that it wrote, of a take that was said to have so much",
            f"{largest:,} of {TOLD:,} bytes" + "".join(f"; and {name}" for name in elsewhere),
            "no more, nowhere else",
            largest <= TOLD and not elsewhere,
        ),
    ]


def _ask(client: Client, number: int, takes: Path) -> str:
    """What one question came to: a code of RecamError's, ``answered``, or ``!`` and a fault."""
    try:
        match number % 5:
            case 0:
                client.jobs(2.0)
            case 1:
                client.server(2.0)
            case 2:
                client.estimate(64, 48, 5, Fraction(25)).result(5.0)
            case 3:
                client.cancel(ID, 2.0)
            case 4:
                job = client.attach(new_id(), takes / f"{number}.mp4")
                job.wait(0.2)
                job.cancel()
                state = job.wait(2.0)
                return state.error.code if state.error else state.stage
    except RecamError as error:
        return error.code
    except Exception as error:
        return f"!{type(error).__name__}: {error}"
    return "answered"


class _FalseServer:
    """Holds the right key, welcomes whoever comes, and answers with something wrong somewhere."""

    def __init__(self) -> None:
        client_keys()
        self.answered = 0
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.linger = 0
        self._socket.curve_server = True
        self._socket.curve_secretkey = server_keys().secret
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        self.address = f"tcp://127.0.0.1:{port}"
        self._mutator = Mutator(1)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Be gone."""
        self._context.term()
        self._thread.join()

    def _serve(self) -> None:
        try:
            while True:
                sender, header, *_ = self._socket.recv_multipart()
                asked = json.loads(header)
                kinds = ANSWERED_BY.get(asked["type"], (asked["type"],))
                for kind, re in ((kinds[0], asked["id"]), ("job.state", None)):
                    if asked["type"] == "hello" and re is None:
                        continue
                    self._socket.send_multipart([sender, *self._answer(kind, re, asked)])
                    self.answered += 1
        except zmq.ContextTerminated:
            self._socket.close()

    def _answer(self, kind: str, re: int | None, asked: dict) -> list[bytes]:
        body = copy.deepcopy(ANSWERS.get(kind, {}))
        body |= {name: asked["body"][name] for name in ("job", "take", "offset")
                 if name in asked["body"] and name in body}  # fmt: skip
        told = {"recam": 1, "type": kind, "id": 0, "re": re, "body": body}
        data = os.urandom(CHUNK_BYTES) if kind == "result.chunk" else b"x" * 12
        if asked["type"] == "hello":
            return [json.dumps(told).encode()]
        return self._mutator.spoilt(told, data if kind in ("result.chunk", "job.picture") else b"")
