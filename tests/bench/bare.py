"""Bare ZeroMQ with the wire's security, chunks and window: what Recam's wire is held against.

A DEALER and a ROUTER in two processes, CURVE between them, one I/O thread each, chunks out of
memory: no files, no hashes, no JSON. Run as a script it is the ROUTER, which answers
``up`` + chunk with a word, ``down`` with a chunk, and ``echo`` + chunk with that chunk.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import zmq

from shared.protocol.limits import CHUNK_BYTES, CREDIT


@contextlib.contextmanager
def bare_peer() -> Iterator[zmq.Socket]:
    """A DEALER that is connected to a ROUTER in another process."""
    public, secret = (key.decode() for key in zmq.curve_keypair())
    command = [sys.executable, "-m", "tests.bench.bare"]
    keys = {**os.environ, "BARE_PUBLIC": public, "BARE_SECRET": secret}
    peer = subprocess.Popen(command, env=keys, stdout=subprocess.PIPE, text=True)
    context = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.curve_publickey, socket.curve_secretkey = zmq.curve_keypair()
    socket.curve_serverkey = public.encode()
    socket.linger = 0
    try:
        socket.connect(peer.stdout.readline().strip())
        transfer(socket, b"echo", 4 * CREDIT)  # handshake and caches do not count
        yield socket
    finally:
        context.destroy(0)
        peer.kill()
        peer.wait()
        peer.stdout.close()


def transfer(socket: zmq.Socket, way: bytes, chunks: int) -> float:
    """Seconds for so many chunks ``up``, ``down`` or both ways (``echo``), CREDIT under way."""
    data = os.urandom(CHUNK_BYTES)
    message = [way] if way == b"down" else [way, data]
    began = time.perf_counter()
    for number in range(chunks + CREDIT):
        if number >= CREDIT:
            socket.recv_multipart(copy=False)
        if number < chunks:
            socket.send_multipart(message, copy=False)
    return time.perf_counter() - began


def _serve() -> None:
    socket = zmq.Context().socket(zmq.ROUTER)
    socket.curve_server = True
    socket.curve_publickey = os.environ["BARE_PUBLIC"].encode()
    socket.curve_secretkey = os.environ["BARE_SECRET"].encode()
    socket.bind("tcp://127.0.0.1:*")
    print(socket.last_endpoint.decode(), flush=True)
    data = os.urandom(CHUNK_BYTES)
    answers = {b"up": b"ok", b"down": data}
    while True:
        sender, way, *chunk = socket.recv_multipart(copy=False)
        answer = answers.get(way.bytes) or chunk[0]
        socket.send_multipart([sender, answer], copy=False)


if __name__ == "__main__":
    _serve()
