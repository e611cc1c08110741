"""The client's socket, set up as docs/protocol.md says."""

from __future__ import annotations

import zmq
import zmq.asyncio

from ..protocol.keys import KeyPair
from ..protocol.limits import FRAME_BYTES, HEARTBEAT_MS, HEARTBEAT_TIMEOUT_MS

# Messages that wait here: as many as come. Where there is a limit that is reached (Blender may keep
# the client's thread from reading for seconds), and then the server goes away, libzmq ends this
# process when the next heartbeat is due.
RECEIVED_AHEAD = 0
RECONNECT_MS = (100, 3_000)  # first pause and longest pause between two attempts


def dealer(context: zmq.asyncio.Context, server_key: bytes, keys: KeyPair) -> zmq.asyncio.Socket:
    """Encrypted, not yet connected. server_key: the server's public key, pinned."""
    socket = context.socket(zmq.DEALER)
    socket.curve_publickey = keys.public
    socket.curve_secretkey = keys.secret
    socket.curve_serverkey = server_key
    socket.linger = 0
    socket.immediate = True
    socket.maxmsgsize = FRAME_BYTES
    socket.rcvhwm = RECEIVED_AHEAD
    socket.reconnect_ivl, socket.reconnect_ivl_max = RECONNECT_MS
    socket.handshake_ivl = 10_000
    socket.heartbeat_ivl = HEARTBEAT_MS
    socket.heartbeat_timeout = socket.heartbeat_ttl = HEARTBEAT_TIMEOUT_MS
    return socket
