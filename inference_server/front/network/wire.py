"""The front's socket: what comes in and what goes out, and how much of it there may be at once."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from collections.abc import Awaitable, Callable

import zmq
import zmq.asyncio

from shared.errors import RecamError
from shared.protocol.keys import server_keys
from shared.protocol.limits import FRAME_BYTES
from shared.protocol.messages import Message, error_body, pack, unpack

from ..limits import Limits
from ..refusals import client_limit
from .unsent import LONG_BYTES, Unsent

AGAIN_SECONDS = 0.2  # until an answer is tried again that the receiver's full queue did not take
RECEIVED_AHEAD = 2  # messages of one client that wait here; more wait in its own machine
# Until a client has said who it is. Until then its frames, of up to FRAME_BYTES, lie in memory.
HANDSHAKE_MS = 3_000
# A connection whose other side lives but takes nothing more off the network for so long is cut;
# Linux and Windows heed it.
UNREAD_MS = 10_000
ALIVE_SECONDS = 15  # without a word, until the other side's system is asked whether it is there
SENT_AHEAD = 32  # messages to one client that wait for the network

# Sender, owner's public key, frames; it answers by itself.
Answer = Callable[[bytes, str, list[memoryview]], Awaitable[None]]


class Wire:
    """A ROUTER with the server's keys. To be made on the event loop."""

    def __init__(self, context: zmq.asyncio.Context, limits: Limits) -> None:
        self._limits = limits
        self._socket = _router(context)
        self._unsent = Unsent(limits)
        self._tasks: set[asyncio.Task] = set()
        self._unanswered: Counter[bytes] = Counter()  # requests, by connection
        self._at_work = 0  # bytes of messages …
        self._messages: dict[asyncio.Task, list[memoryview]] = {}  # … and these, by who answers
        self._less_work = asyncio.Event()

    def bind(self, address: str) -> str:
        """Listen; the real address. Raises RecamError ``address_in_use``, ``server_address``."""
        self._socket.ipv6 = "[" in address
        try:
            self._socket.bind(address)
        except zmq.ZMQError as error:
            if error.errno == zmq.EADDRINUSE:
                raise RecamError(
                    "address_in_use",
                    f"The server cannot listen at {address} ({error.strerror}).",
                    "Is another server running? Stop it, or choose another port with --port.",
                ) from None
            closed = error.errno == errno.EACCES  # such as a port that is for the system alone
            why = error.strerror if closed else "this machine has no such address"
            raise RecamError(
                "server_address",
                f"The server cannot listen at {address}: {why}.",
                "Give an address of this machine with --host, as a number: 0.0.0.0 for all that "
                "it has, or a network card's name.",
            ) from None
        return self._socket.last_endpoint.decode()

    def close(self) -> None:
        """Let go of the address; what has been said may still leave."""
        self._socket.close(500)

    async def receive(self, answer: Answer) -> None:
        """Have each message answered, several at once; until it is cancelled."""
        while True:
            sender, *frames = await self._socket.recv_multipart(copy=False)
            if not frames:
                continue
            owner, sender = frames[0].get("User-Id"), sender.bytes
            frames = [frame.buffer for frame in frames]
            if self._unanswered[sender] >= self._limits.unanswered:
                self._refuse(sender, frames)
                continue
            await self._take_up(answer, sender, owner, frames)

    def let_go(self) -> None:
        """The message that this task answers has been read, and is not counted any more: others
        may be taken in. Whoever calls it bounds what of the message stays."""
        self._let_go(asyncio.current_task())

    async def room(self, owner: str) -> None:
        """Wait until a long answer may be made for this owner; ``answer`` takes that room over.

        The message, which is short, has been read.
        """
        self.let_go()
        await self._unsent.room(owner)

    async def answer(self, receiver: bytes, owner: str, message: Message, has_room: bool) -> None:
        """Send an answer, as soon as the receiver's queue takes it; one that is gone gets none."""
        self.let_go()  # who does not read keeps nobody else waiting
        frames = pack(message)
        if has_room:
            longest = max(range(len(frames)), key=lambda index: len(frames[index]))
            if len(frames[longest]) > LONG_BYTES:
                frames[longest] = memoryview(frames[longest])
                self._unsent.sent_with(owner, frames[longest])
            else:
                self._unsent.release(owner)
        while isinstance(self._send(receiver, frames), zmq.Again):
            await asyncio.sleep(AGAIN_SECONDS)

    def send(self, receiver: bytes, message: Message) -> zmq.ZMQError | None:
        """Send what was not asked for. None once it is on its way, zmq.Again while the receiver's
        queue is full, another error if it is gone.

        One that does not read any more is gone after UNREAD_MS.
        """
        return self._send(receiver, pack(message))

    def _send(self, receiver: bytes, frames: list[bytes | memoryview]) -> zmq.ZMQError | None:
        copy = not any(isinstance(frame, memoryview) for frame in frames)
        sent = self._socket.send_multipart([receiver, *frames], flags=zmq.NOBLOCK, copy=copy)
        try:
            sent.result()
        except zmq.ZMQError as error:
            # Its traceback holds the frames and the future that holds it: nobody would let go of
            # an answer that was not sent.
            return error.with_traceback(None)
        return None

    async def _take_up(
        self, answer: Answer, sender: bytes, owner: str, frames: list[memoryview]
    ) -> None:
        size = sum(len(frame) for frame in frames)
        while self._at_work and self._at_work + size > self._limits.at_work:
            self._less_work.clear()
            await self._less_work.wait()
        self._at_work += size
        self._unanswered[sender] += 1

        def done(task: asyncio.Task) -> None:
            self._tasks.discard(task)
            self._let_go(task)
            self._unanswered[sender] -= 1
            if not self._unanswered[sender]:
                del self._unanswered[sender]

        task = asyncio.ensure_future(answer(sender, owner, frames))
        self._tasks.add(task)
        self._messages[task] = frames
        task.add_done_callback(done)
        # Receiving does not yield while messages wait: let this one be answered first.
        await asyncio.sleep(0)

    def _let_go(self, task: asyncio.Task) -> None:
        """Its message is worked on no more, or not yet: others may be taken in."""
        frames = self._messages.pop(task, [])
        self._at_work -= sum(len(frame) for frame in frames)
        frames.clear()
        self._less_work.set()

    def _refuse(self, sender: bytes, frames: list[memoryview]) -> None:
        """Answer that it asks too much: once, at once, and whether it reads that or not."""
        error = client_limit(
            f"{self._limits.unanswered} requests of this connection wait for their answers; that "
            "is the most.",
            "Read the answers to those first.",
        )
        try:
            number = unpack(frames).id
        except RecamError:
            number = None
        self.send(sender, Message("error", error_body(error), re=number))


def _router(context: zmq.asyncio.Context) -> zmq.asyncio.Socket:
    socket = context.socket(zmq.ROUTER)
    keys = server_keys()
    socket.curve_server = True
    # Else, where nobody answers who may come in, libzmq lets in everybody.
    socket.zap_domain, socket.zap_enforce_domain = b"*", 1
    socket.curve_publickey = keys.public
    socket.curve_secretkey = keys.secret
    socket.router_mandatory = True
    socket.linger = 0
    socket.maxmsgsize = FRAME_BYTES
    socket.rcvhwm, socket.sndhwm = RECEIVED_AHEAD, SENT_AHEAD
    socket.handshake_ivl = HANDSHAKE_MS
    # No heartbeats of its own: libzmq ends this process when one is due to a client that went away
    # while its messages waited here. Clients send theirs, and say when to give them up.
    socket.tcp_keepalive, socket.tcp_keepalive_idle = 1, ALIVE_SECONDS
    socket.tcp_keepalive_intvl, socket.tcp_keepalive_cnt = ALIVE_SECONDS // 3, 3
    socket.tcp_maxrt = UNREAD_MS
    return socket
