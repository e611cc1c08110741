"""One encrypted connection to a server: requests and replies, events, reconnecting.

Lives on the client thread's event loop; but for ``trouble`` nothing here may be called from
another thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from ..errors import RecamError
from ..protocol.keys import KeyPair
from ..protocol.limits import (
    CREDIT,
    PROTOCOL,
)
from ..protocol.messages import Message, error_from, pack, unpack
from ..protocol.schema import check_answer
from ..version import VERSION
from .address import no_address
from .dealer import dealer
from .refusals import key_refused, key_revoked, odd_answer, other_server, unreachable

log = logging.getLogger(__name__)

REPLY_SECONDS = 30.0  # for the answer to one request, the flush of a large clip included
QUIET_SECONDS = 3.0  # without a server, until it is said; a local one answers in a tenth
ANEW_SECONDS = 1.0  # until libzmq should have said that it connects again; see ``_follow``
WRONG_KEY_HINTS = 3  # handshakes that must break off before the server's key is blamed
REFUSED_SECONDS = (5.0, 300.0)  # first and longest pause before a server that refused is tried
REVOKED_TRIES = 3  # refusals of a key that was let in before, until nothing waits for it any more


class ConnectionLost(Exception):
    """The connection broke, or an answer did not come in time; ask again once it is back."""


class Connection:
    """A DEALER that follows its own reconnects and answers.

    A server that refuses is tried again after growing pauses, while somebody waits for it.

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
        self.error: RecamError | None = None  # why the server refuses, until it is tried again
        self.sending: Counter[str] = Counter()  # how many of its jobs send an upload now
        self._on_event = on_event
        self._on_back = on_back
        self._settled = asyncio.Event()  # welcomed, or refused
        self._refusals = 0  # in a row
        self._pause = 0.0  # after the latest refusal, seconds
        self._refused_at = 0.0
        self._odd = False  # whether the server has said what no server says
        self._away_since: float | None = time.monotonic()  # None while there is a server
        self._pending: dict[int, tuple[str, asyncio.Future]] = {}
        self._credit = asyncio.Semaphore(CREDIT)
        self._last_id = 0
        self._broken_handshakes = 0
        self._anew: asyncio.TimerHandle | None = None  # to connect where libzmq does not
        self._tasks: set[asyncio.Future] = set()
        self._socket = dealer(context, server_key, keys)
        self._socket.ipv6 = "[" in address  # else nobody is reached at tcp://[::1]:47811
        self._monitor = self._socket.get_monitor_socket()
        try:
            self._socket.connect(address)
        except zmq.ZMQError:
            self.close()
            raise no_address(address) from None
        self._tasks = {
            asyncio.ensure_future(self._receive()),
            asyncio.ensure_future(self._follow()),
        }

    async def ready(self, patience: float) -> dict:
        """The server's ``welcome``, as soon as there is one: for what is under way.

        A refusal is waited out too, and ``trouble`` tells of it. Raises RecamError after
        ``patience`` seconds: the refusal, or ``server_unreachable``; ``key_revoked`` once further
        tries have met with it.
        """
        try:
            async with asyncio.timeout(patience):
                while True:
                    await self._settled.wait()
                    if self.error is None:
                        return self.welcome
                    if self.error.code == "key_revoked" and self._refusals >= REVOKED_TRIES:
                        raise self.error
                    await asyncio.sleep(self._refused_at + self._pause - time.monotonic())
                    self._try_again(self._pause)
        except TimeoutError:
            raise self.error or unreachable(self.address, patience) from None

    async def begin(self, patience: float, *, urged: bool = False) -> dict:
        """As ``ready``, for what is new: a refusal is raised at once.

        It may be one from before, so long as the pause after it lasts; of that only the first
        seconds where a person urges.
        """
        self._try_again(REFUSED_SECONDS[0] if urged else self._pause)
        try:
            async with asyncio.timeout(patience):
                await self._settled.wait()
        except TimeoutError:
            raise unreachable(self.address, patience) from None
        if self.error:
            raise self.error
        return self.welcome

    def trouble(self) -> str:
        """In words: why the server refuses, or that it has been away for seconds; else nothing."""
        since, error = self._away_since, self.error
        if error:
            return str(error)
        if since is None or time.monotonic() - since < QUIET_SECONDS:
            return ""
        if self.welcome:
            return f"The connection to {self.address} is lost; it is being made again."
        return f"No server answers at {self.address} yet."

    def post(self, kind: str, body: dict, data: bytes = b"") -> asyncio.Future:
        """Send a request; the future brings its answer, RecamError or ConnectionLost."""
        future = asyncio.get_running_loop().create_future()
        if self.error:
            future.set_exception(ConnectionLost())
            return future
        self._last_id += 1
        number = self._last_id
        self._pending[number] = kind, future
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
        self._connects_itself()
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
                self._refuse(error)
                continue
            request, answered = self._pending.get(message.re, ("", None))
            try:
                check_answer(message, request)
            except RecamError as error:
                self._refuse_answer(answered, error)
                continue
            if message.type == "error" and message.body["code"] == "key_revoked":
                self._refuse(error_from(message.body))
            elif answered is None:
                if message.re is None:
                    self._on_event(message)
            elif not answered.done():
                if message.type == "error":
                    answered.set_exception(error_from(message.body))
                else:
                    answered.set_result(message)

    def _refuse_answer(self, answered: asyncio.Future | None, error: RecamError) -> None:
        """Whoever waits for it is told; an event is passed over, and the server asked in time."""
        if not self._odd:
            self._odd = True
            log.warning("the server at %s: %s", self.address, error.sentence)
        if answered is not None and not answered.done():
            answered.set_exception(odd_answer(self.address))

    async def _follow(self) -> None:
        """What becomes of the connection, as libzmq's monitor tells.

        libzmq connects again by itself, and says so at once; but not to a server that has sent
        what no ZeroMQ server sends, or more than ``FRAME_BYTES``, or what the line has altered.
        """
        while True:
            event = (await recv_monitor_message(self._monitor))["event"]
            self._connects_itself()
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._broken_handshakes = 0
                greeting = asyncio.ensure_future(self._greet())
                self._tasks.add(greeting)
                greeting.add_done_callback(self._tasks.discard)
            elif event == zmq.EVENT_DISCONNECTED:
                self._lost()
                self._drop_pending()
                if self.error is None:  # else it is left alone for a while
                    loop = asyncio.get_running_loop()
                    self._anew = loop.call_later(ANEW_SECONDS, self._connect)
            elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                refusal = key_revoked if self.welcome else key_refused
                self._refuse(refusal(self.address))
            elif event in (
                zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
            ):
                # A server that is going down breaks off a handshake too: once proves nothing.
                # And one that has welcomed us holds the key: it is away, behind a tunnel.
                self._broken_handshakes += 1
                if self._broken_handshakes >= WRONG_KEY_HINTS and not self.welcome:
                    self._refuse(other_server(self.address))

    async def _greet(self) -> None:
        hello = {"protocol": PROTOCOL, "client": f"recam {VERSION}"}
        try:
            reply = await self.post("hello", hello)  # its end is an answer or a disconnection
        except RecamError as error:
            self._refuse(error)
        except ConnectionLost:
            return  # the monitor tells of the next attempt
        else:
            self.welcome = reply.body
            self._away_since, self._pause, self._refusals = None, 0.0, 0
            self._settled.set()
            self._on_back()

    def _lost(self) -> None:
        if self.error is None:
            self._settled.clear()
        if self._away_since is None:
            self._away_since = time.monotonic()

    def _refuse(self, error: RecamError) -> None:
        """The server will have none of this: let go of it for a while, longer each time."""
        if self.error:
            return
        first, longest = REFUSED_SECONDS
        self.error = error
        self._refusals += 1
        self._pause = min(max(2 * self._pause, first), longest)
        self._refused_at = time.monotonic()
        self._connects_itself()
        self._disconnect()
        self._lost()
        self._drop_pending()
        self._settled.set()

    def _try_again(self, pause: float) -> None:
        """Unless the server has not refused, or did so less than ``pause`` seconds ago."""
        if self.error and time.monotonic() >= self._refused_at + pause:
            self.error, self._broken_handshakes = None, 0
            self._settled.clear()
            self._connect()

    def _connects_itself(self) -> None:
        if self._anew:
            self._anew.cancel()
            self._anew = None

    def _connect(self) -> None:
        self._disconnect()  # two ways to one server would share out what is sent
        self._socket.connect(self.address)

    def _disconnect(self) -> None:
        with contextlib.suppress(zmq.ZMQError):  # libzmq has let go of it already
            self._socket.disconnect(self.address)

    def _drop_pending(self) -> None:
        for _, future in list(self._pending.values()):
            if not future.done():
                future.set_exception(ConnectionLost())
                future.exception()  # seen: some of them nobody waits for


async def answer(future: asyncio.Future, seconds: float = REPLY_SECONDS) -> Message:
    """The answer that a posted request brings, or ConnectionLost after ``seconds``."""
    # Not wait_for: until Python 3.12 it passes over a cancel that comes with the answer.
    try:
        async with asyncio.timeout(seconds):
            return await future
    except TimeoutError:
        raise ConnectionLost() from None
