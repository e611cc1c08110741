"""What the front's socket bears from clients that are let in: going away, and not reading."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# A wire of its own process, since libzmq ends the process that it finds a mistake in.
WIRE = """
import asyncio, socket, struct, sys, threading, time
import zmq, zmq.asyncio, zmq.auth
from zmq.auth.asyncio import AsyncioAuthenticator
from inference_server.front.limits import Limits
from inference_server.front.network.wire import Wire
from shared.protocol.keys import client_keys, server_keys

def carry(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass

def to_wire(port):
    listening, far = socket.create_server(("127.0.0.1", 0)), []
    def run():
        near, _ = listening.accept()
        far.append(socket.create_connection(("127.0.0.1", port)))
        for ends in ((near, far[0]), (far[0], near)):
            threading.Thread(target=carry, args=ends, daemon=True).start()
    threading.Thread(target=run, daemon=True).start()
    return listening.getsockname()[1], far

def client(port):
    keys, dealer = client_keys(), zmq.Context.instance().socket(zmq.DEALER)
    dealer.curve_publickey, dealer.curve_secretkey = keys.public, keys.secret
    dealer.curve_serverkey, dealer.linger = server_keys().public, 0
    dealer.connect(f"tcp://127.0.0.1:{port}")
    return dealer

async def main(limits, use, known=True):
    context = zmq.asyncio.Context()
    if known:
        doorman = AsyncioAuthenticator(context)
        doorman.start()
        doorman.configure_curve(location=zmq.auth.CURVE_ALLOW_ANY)
    wire = Wire(context, limits)
    await use(wire, int(wire.bind("tcp://127.0.0.1:*").rpartition(":")[2]))
    print("well")
    sys.stdout.flush()
    import os; os._exit(0)
"""

GOES_AWAY = """
async def use(wire, port):
    near, far = to_wire(port)
    dealer = client(near)
    for _ in range(50):
        dealer.send(bytes(500_000))
    await asyncio.sleep(1)  # nobody takes these in
    far[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    far[0].shutdown(socket.SHUT_RDWR)
    await asyncio.sleep(3)  # longer than between two heartbeats

asyncio.run(main(Limits(), use))
"""

DOES_NOT_READ = """
async def use(wire, port):
    came, third = [], asyncio.Event()

    async def answer(sender, owner, frames):
        came.append(len(frames[0]))
        if len(came) == 3:
            third.set()
        await wire.room(owner)  # of which there is none after the first
        assert not frames

    dealer = client(port)
    for _ in range(3):
        dealer.send(bytes(1000))
    receiving = asyncio.ensure_future(wire.receive(answer))
    await asyncio.wait_for(third.wait(), 10)

asyncio.run(main(Limits(at_work=1500, unsent=1 << 19, unsent_per_client=1 << 19), use))
"""

NOBODY_AT_THE_DOOR = """
async def use(wire, port):
    async def answer(sender, owner, frames):
        came.set()

    came, dealer = asyncio.Event(), client(port)
    dealer.send(b"let me in")
    receiving = asyncio.ensure_future(wire.receive(answer))
    await asyncio.wait([receiving, asyncio.ensure_future(came.wait())], timeout=1)
    assert not receiving.done() and not came.is_set()

asyncio.run(main(Limits(), use, known=False))
"""


@pytest.mark.parametrize("what", [GOES_AWAY, DOES_NOT_READ, NOBODY_AT_THE_DOOR])
def test_the_wire_bears(what, tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_CONFIG", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", WIRE + what],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.stdout == "well\n", done.stderr
