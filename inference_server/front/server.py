"""The front as a whole: what it is made of, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import zmq.asyncio
from zmq.auth.asyncio import AsyncioAuthenticator

from shared.errors import RecamError
from shared.protocol.messages import Message, error_body, unpack
from shared.protocol.schema import REQUESTS, check_request
from shared.protocol.strict_json import bad

from ..observing.counts import Counts
from .faults import server_fault
from .handlers import Handlers, job_body
from .jobs.dispatcher import Dispatcher
from .journal.entry import Entry
from .journal.journal import Journal
from .limits import Limits
from .metrics import Metrics
from .network.allocator import give_back
from .network.door import Door, key_revoked
from .network.full import Full
from .network.wire import Wire
from .news import News
from .status import Status
from .storage.clips import OpenUploads
from .storage.deletion import Deletion
from .storage.housekeeping import Housekeeping
from .storage.store import Store

log = logging.getLogger(__name__)

DISK_THREADS = 2
LONG_ANSWERS = ("result.get", "job.list")  # as far as they may be: a chunk, a hundred jobs
CANCEL_SECONDS = 5.0  # until it is tried again where the disk took nothing


class Front:
    """A server on one address and one state folder.

    delete_on_delivery: whether every job's footage is, not only where a job asks for it.
    metrics_port: where figures for Prometheus are served, on this machine alone.
    """

    def __init__(
        self,
        address: str,
        state: Path,
        releases: Path,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        delete_on_delivery: bool = False,
        metrics_port: int | None = None,
    ) -> None:
        _make_folder(state)
        self._address = address
        self._journal = Journal(state / "journal.sqlite")
        self._store = Store(state)
        self._releases = releases
        self._limits = limits
        self._counts = Counts()
        self._metrics_port = metrics_port
        self._deletion = Deletion(self._store, self._journal, delete_on_delivery)
        self._full = Full()
        self._door = Door(self._cancel_unlisted)

    async def run(self, on_listening=lambda address: None) -> None:
        """Serve until a SIGINT or SIGTERM; ``on_listening`` is called with the real address."""
        give_back()
        # For disk and hashes. Few: every thread keeps some of the memory that it has once used.
        threads = ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="recam-disk")
        asyncio.get_running_loop().set_default_executor(threads)
        context = zmq.asyncio.Context()
        authenticator = AsyncioAuthenticator(context, log=logging.getLogger(f"{__name__}.zap"))
        authenticator.start()
        authenticator.configure_curve_callback("*", credentials_provider=self._door)
        self._wire = Wire(context, self._limits)
        self._news = News(
            self._wire, self._door, self._journal, lambda entry: job_body(entry, self._dispatcher)
        )
        logging.getLogger().addHandler(self._counts)
        metrics = ExitStack()
        try:
            address = self._wire.bind(self._address)
            incoming: OpenUploads = OrderedDict()
            housekeeping = Housekeeping(self._store, self._journal, self._limits, incoming)
            self._dispatcher = Dispatcher(
                self._journal,
                self._store,
                self._releases,
                self._on_change,
                housekeeping.make_room_to_render,
            )
            status = Status(self._counts, self._door, self._dispatcher, self._store, self._limits)
            self._handlers = Handlers(
                self._journal,
                self._store,
                self._dispatcher,
                self._news,
                self._limits,
                housekeeping,
                self._deletion,
                incoming,
                status,
                self._wire.let_go,
            )
            if self._metrics_port is not None:
                metrics.enter_context(closing(Metrics(self._metrics_port, status.figures)))
            self._dispatcher.start()
            self._deletion.catch_up()
            self._cancel_unlisted()
            beside = [
                asyncio.ensure_future(each) for each in (housekeeping.run(), self._door.watch())
            ]
            stop = _stop_signal()
            self._door.say_who(address)
            on_listening(address)
            await self._serve_until(stop)
            for each in beside:
                each.cancel()
            await self._dispatcher.stop()
            self._handlers.close()
        finally:
            logging.getLogger().removeHandler(self._counts)
            metrics.close()
            authenticator.stop()
            self._wire.close()
            context.term()
            self._journal.close()

    async def _serve_until(self, stop: asyncio.Event) -> None:
        receiving = asyncio.ensure_future(self._wire.receive(self._answer))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait([receiving, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if receiving.done():
            receiving.result()  # a fault of the front itself: let it be seen
        receiving.cancel()

    async def _answer(self, sender: bytes, owner: str, frames: list[memoryview]) -> None:
        number, kind, has_room = None, "", False
        received = sum(map(len, frames))
        try:
            if not self._door.lets_in(owner):
                raise key_revoked()
            if sender[:1] != b"\0":  # libzmq's own begin so; another's could be taken over
                raise bad("comes over a connection that has chosen its own routing id")
            message = unpack(frames)
            number, kind = message.id, message.type
            if message.type in LONG_ANSWERS:
                check_request(message)  # so that those who wait are short
                await self._wire.room(owner)
                has_room = True
            reply = await self._handlers.handle(sender, owner, message)
            if not self._door.lets_in(owner):  # revoked meanwhile
                self._cancel_unlisted()
                raise key_revoked()
        except RecamError as error:
            self._full.told(error, owner)
            reply = Message("error", error_body(error))
        except Exception:
            log.exception("a message could not be answered")
            reply = Message("error", error_body(server_fault()))
        message = None  # which may be long, and the answer wait long for the network
        reply = Message(reply.type, reply.body, re=number, data=reply.data)
        self._counts.answered(
            kind if kind in REQUESTS else "unknown",
            received,
            len(reply.data),
            reply.body["code"] if reply.type == "error" else None,
        )
        await self._wire.answer(sender, owner, reply, has_room)

    def _on_change(self, entry: Entry) -> None:
        self._news.changed(entry)
        if entry.over:
            try:
                self._deletion.ended(entry)
            except (OSError, RecamError) as error:  # the next start does it
                log.error("what job %s leaves is not deleted yet: %s", entry.id, error)

    def _cancel_unlisted(self) -> None:
        """Whoever may not come in any more has nothing rendered any more."""
        try:
            for entry in [*self._journal.interrupted(), *self._journal.queued()]:
                if self._door.revoked(entry.owner):
                    log.info("job %s is cancelled: its owner's key is not let in", entry.id)
                    self._dispatcher.cancel(entry)
        except RecamError as error:  # the journal cannot be written now
            log.error("%s", error)
            asyncio.get_running_loop().call_later(CANCEL_SECONDS, self._cancel_unlisted)


def _make_folder(state: Path) -> None:
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise RecamError(
            "state_folder",
            f"The folder {state} cannot be made ({error.strerror}).",
            "Give another with --state, or RECAM_STATE.",
        ) from None


def _stop_signal() -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":  # its event loops take no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        else:
            loop.add_signal_handler(number, stop.set)
    return stop
