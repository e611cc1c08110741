"""One encrypted connection to a server: requests and replies, events, reconnecting.

Lives on the client thread's event loop; but for ``trouble`` nothing here may be called from
another thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from ..errors import RecamError
from ..protocol.keys import KeyPair
from ..protocol.limits import (
    CREDIT,
    DATA_BYTES,
    HEARTBEAT_MS,
    HEARTBEAT_TIMEOUT_MS,
    PROTOCOL,
)
from ..protocol.messages import Message, error_from, pack, unpack
from ..version import VERSION

REPLY_SECONDS = 30.0  # for the answer to one request, the flush of a large clip included
RECONNECT_MS = (100, 3_000)  # first pause and longest pause between two attempts
QUIET_SECONDS = 3.0  # without a server, until it is said; a local one answers in a tenth
WRONG_KEY_HINTS = 3  # handshakes that must break off before the server's key is blamed


class ConnectionLost(Exception):
    """The connection broke, or an answer did not come in time; ask again once it is back."""


class Connection:
    """A DEALER that follows its own reconnects and answers.

    address: ``tcp://host:port``; server_key: the server's public key, pinned.
    on_event: called with every message that answers no request.
    on_back: called each time the server has welcomed this client.
    """

    def __init__(
        self,
        context: zmq.asyncio.Context,
        address: str,
        server_key: bytes,
        keys: KeyPair,
        on_event: Callable[[Message], None],
        on_back: Callable[[], None],
    ) -> None:
        self.address = address
        self.welcome: dict = {}
        self.error: RecamError | None = None  # why no further attempt is made
        self._on_event = on_event
        self._on_back = on_back
        self._ready = asyncio.Event()
        self._away_since: float | None = time.monotonic()  # None while there is a server
        self._pending: dict[int, asyncio.Future] = {}
        self._credit = asyncio.Semaphore(CREDIT)
        self._last_id = 0
        self._broken_handshakes = 0
        self._tasks: set[asyncio.Future] = set()
        self._socket = _dealer(context, server_key, keys)
        self._socket.ipv6 = "[" in address  # else nobody is reached at tcp://[::1]:47811
        self._monitor = self._socket.get_monitor_socket()
        try:
            self._socket.connect(address)
        except zmq.ZMQError:
            self.close()
            raise RecamError(
                "server_address",
                f"{address!r} is not the address of a server.",
                "An address looks like tcp://127.0.0.1:47811.",
            ) from None
        self._tasks = {
            asyncio.ensure_future(self._receive()),
            asyncio.ensure_future(self._follow_handshakes()),
        }

    async def ready(self, patience: float) -> dict:
        """The server's ``welcome``, as soon as there is one.

        Raises RecamError ``server_unreachable`` after ``patience`` seconds, or at once what
        makes every further attempt pointless (``key_refused``, ``server_key``).
        """
        try:
            await asyncio.wait_for(self._ready.wait(), patience)
        except TimeoutError:
            raise RecamError(
                "server_unreachable",
                f"No Recam server has answered at {self.address} for {patience:.0f} seconds.",
                "Start one with `recam serve`, or correct the address.",
            ) from None
        if self.error:
            raise self.error
        return self.welcome

    def trouble(self) -> str:
        """A sentence once the server has been away for a few seconds, else nothing."""
        since = self._away_since
        if since is None or time.monotonic() - since < QUIET_SECONDS:
            return ""
        if self.welcome:
            return f"The connection to {self.address} is lost; it is being made again."
        return f"No server answers at {self.address} yet."

    def post(self, kind: str, body: dict, data: bytes = b"") -> asyncio.Future:
        """Send a request; the future brings its answer, RecamError or ConnectionLost."""
        future = asyncio.get_running_loop().create_future()
        if self.error:
            future.set_exception(self.error)
            return future
        self._last_id += 1
        number = self._last_id
        self._pending[number] = future
        future.add_done_callback(lambda _: self._pending.pop(number, None))
        # IMMEDIATE is set: a socket without a peer refuses instead of queueing.
        sent = self._socket.send_multipart(
            pack(Message(kind, body, number, data=data)), flags=zmq.NOBLOCK, copy=not len(data)
        )
        if sent.exception() and not future.done():
            self._lost()  # the monitor will tell of it, later
            future.set_exception(ConnectionLost())
        return future

    async def post_bulk(self, kind: str, body: dict, data: bytes = b"") -> asyncio.Future:
        """``post`` within the connection's credit, which all its transfers share."""
        await self._credit.acquire()
        future = self.post(kind, body, data)
        future.add_done_callback(lambda _: self._credit.release())
        return future

    async def request(
        self, kind: str, body: dict, data: bytes = b"", seconds: float = REPLY_SECONDS
    ) -> Message:
        """Send a request and wait for its answer, ``seconds`` at the most."""
        return await answer(self.post(kind, body, data), seconds)

    def close(self) -> None:
        """Stop, dropping whatever is under way."""
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(zmq.ZMQError):
            self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)
        self._drop_pending()

    async def _receive(self) -> None:
        while True:
            frames = await self._socket.recv_multipart(copy=False)
            try:
                message = unpack([frame.buffer for frame in frames])
            except RecamError as error:
                self._give_up(error)
                return
            future = self._pending.get(message.re) if message.re is not None else None
            if future is None:
                if message.re is None:
                    self._on_event(message)
            elif not future.done():
                if message.type == "error":
                    future.set_exception(error_from(message.body))
                else:
                    future.set_result(message)

    async def _follow_handshakes(self) -> None:
        while True:
            event = (await recv_monitor_message(self._monitor))["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._broken_handshakes = 0
                greeting = asyncio.ensure_future(self._greet())
                self._tasks.add(greeting)
                greeting.add_done_callback(self._tasks.discard)
            elif event == zmq.EVENT_DISCONNECTED:
                self._lost()
                self._drop_pending()
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                self._give_up(
                    RecamError(
                        "key_refused",
                        f"The server at {self.address} does not let this computer's key in.",
                        "Give the server's keeper your client.pub; it goes into their "
                        "clients folder.",
                    )
                )
                return
            elif event in (
                zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
            ):
                # A server that is going down breaks off a handshake too: once proves nothing.
                # And one that has welcomed us holds the key: it is away, behind a tunnel.
                self._broken_handshakes += 1
                if self._broken_handshakes >= WRONG_KEY_HINTS and not self.welcome:
                    self._give_up(
                        RecamError(
                            "server_key",
                            f"What answers at {self.address} does not hold the server key "
                            "that is known here, or is no Recam server.",
                            "Check the address and the server's public key (its server.pub).",
                        )
                    )
                    return

    async def _greet(self) -> None:
        hello = {"protocol": PROTOCOL, "client": f"recam {VERSION}"}
        try:
            reply = await self.post("hello", hello)  # its end is an answer or a disconnection
        except RecamError as error:
            self._give_up(error)
        except ConnectionLost:
            return  # the monitor tells of the next attempt
        else:
            self.welcome = reply.body
            self._away_since = None
            self._ready.set()
            self._on_back()

    def _lost(self) -> None:
        self._ready.clear()
        if self._away_since is None:
            self._away_since = time.monotonic()

    def _give_up(self, error: RecamError) -> None:
        self.error = error
        self._socket.disconnect(self.address)
        self._drop_pending()
        self._ready.set()

    def _drop_pending(self) -> None:
        for future in list(self._pending.values()):
            if not future.done():
                future.set_exception(self.error or ConnectionLost())
                future.exception()  # seen: some of them nobody waits for


async def answer(future: asyncio.Future, seconds: float = REPLY_SECONDS) -> Message:
    """The answer that a posted request brings, or ConnectionLost after ``seconds``."""
    try:
        return await asyncio.wait_for(future, seconds)
    except TimeoutError:
        raise ConnectionLost() from None


def _dealer(context: zmq.asyncio.Context, server_key: bytes, keys: KeyPair) -> zmq.asyncio.Socket:
    socket = context.socket(zmq.DEALER)
    socket.curve_publickey = keys.public
    socket.curve_secretkey = keys.secret
    socket.curve_serverkey = server_key
    socket.linger = 0
    socket.immediate = True
    socket.maxmsgsize = DATA_BYTES
    socket.reconnect_ivl, socket.reconnect_ivl_max = RECONNECT_MS
    socket.handshake_ivl = 10_000
    socket.heartbeat_ivl = HEARTBEAT_MS
    socket.heartbeat_timeout = HEARTBEAT_TIMEOUT_MS
    return socket
