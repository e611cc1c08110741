"""A client whose thread does not come to read, while its server sends and goes away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from servers import ROOT

# In a process of its own: what must not happen is that libzmq ends it.
_SCRIPT = """
import time
import zmq, zmq.asyncio
from proxy import Proxy
from shared.client.dealer import dealer
from shared.protocol.keys import KeyPair
from shared.protocol.limits import HEARTBEAT_MS

context = zmq.Context()
server = context.socket(zmq.ROUTER)
public, server.curve_secretkey = zmq.curve_keypair()
server.curve_server, server.linger = True, 0
port = server.bind_to_random_port("tcp://127.0.0.1")
with Proxy(f"tcp://127.0.0.1:{port}") as proxy:
    client = zmq.Socket.shadow(dealer(zmq.asyncio.Context(), public, KeyPair(*zmq.curve_keypair())))
    client.connect(proxy.address)
    while not client.poll(100, zmq.POLLOUT):
        pass
    client.send(b"hello")
    sender = server.recv()
    for _ in range(900):
        server.send_multipart([sender, bytes(200)])
    time.sleep(1)
    for link in list(proxy.links):
        link.cut(reset=True)
    time.sleep(1.5 * HEARTBEAT_MS / 1000)
    print("alive", flush=True)
    context.destroy(0)
    client.context.destroy(0)
"""


def test_a_client_that_does_not_read_outlives_its_server():
    here = str(Path(__file__).parent)
    script = f"import sys; sys.path.insert(0, {here!r}){_SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr
