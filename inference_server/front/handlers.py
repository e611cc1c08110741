"""What the front does with each type of message. Specified in docs/protocol.md."""

from __future__ import annotations

import json
from collections.abc import Callable

from shared.protocol.limits import CHUNK_BYTES, CREDIT, HEADER_BYTES, PROTOCOL
from shared.protocol.messages import Message, other_version
from shared.protocol.schema import check_request, unknown
from shared.version import VERSION

from ..engines.registry import as_body, check_name, check_settings
from .jobs.acceptance import Acceptance
from .jobs.dispatcher import Dispatcher
from .journal.entry import Entry
from .journal.journal import Journal
from .limits import Limits
from .news import News
from .status import Status
from .storage.clips import Clips, OpenUploads
from .storage.deletion import Deletion
from .storage.housekeeping import Housekeeping
from .storage.results import Results, find_job
from .storage.store import Store

LIST_BYTES = HEADER_BYTES // 2  # of a list of jobs, and one more


class Handlers:
    """Answers messages. ``handle`` is all that others need. let_go: see ``Acceptance``."""

    def __init__(
        self,
        journal: Journal,
        store: Store,
        dispatcher: Dispatcher,
        news: News,
        limits: Limits,
        housekeeping: Housekeeping,
        deletion: Deletion,
        incoming: OpenUploads,
        status: Status,
        let_go: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._dispatcher = dispatcher
        self._news = news
        self._status = status
        self._clips = Clips(store, limits, housekeeping, incoming)
        self._acceptance = Acceptance(journal, store, dispatcher, self._clips, limits, let_go)
        results = Results(journal, store, deletion, lambda entry: job_body(entry, dispatcher))
        self._handlers = {
            "hello": self._hello,
            "server.info": self._info,
            "server.status": self._how_it_is,
            "job.estimate": self._estimate,
            "job.submit": self._submit,
            "job.attach": self._attach,
            "job.cancel": self._cancel,
            "job.list": self._list,
            "job.picture": self._picture,
            **self._clips.handlers,
            **results.handlers,
        }

    async def handle(self, sender: bytes, owner: str, message: Message) -> Message:
        """The answer to a message, or RecamError. Handlers trust what the schema lets through."""
        check_request(message)
        handler = self._handlers.get(message.type)
        if handler is None:
            raise unknown(message.type)
        return await handler(sender, owner, message.body, message.data)

    def close(self) -> None:
        """Let go of the files of uploads under way."""
        self._clips.close()

    async def _hello(self, sender, owner, body, data) -> Message:
        if body["protocol"] != PROTOCOL:
            raise other_version(body["protocol"])
        return Message("welcome", self._about())

    async def _info(self, sender, owner, body, data) -> Message:
        return Message("server.info", self._about())

    async def _how_it_is(self, sender, owner, body, data) -> Message:
        return Message("server.status", await self._status.of(owner))

    def _about(self) -> dict:
        return {
            "protocol": PROTOCOL,
            "server": f"recam {VERSION}",
            "engines": as_body(self._dispatcher.engines),
            "chunk_bytes": CHUNK_BYTES,
            "credit": CREDIT,
            "trouble": self._dispatcher.trouble,
        }

    async def _estimate(self, sender, owner, body, data) -> Message:
        question = dict(body)
        engine = question.pop("engine")
        check_name(engine)
        check_settings(question["settings"], question["start"] or None)
        return Message("job.estimate", await self._dispatcher.estimate(owner, engine, question))

    async def _submit(self, sender, owner, body, data) -> Message:
        entry = await self._acceptance.accept(owner, body, data)
        self._news.follow(entry, sender)
        self._dispatcher.accepted(entry)
        return Message("job.accepted", {"job": entry.id})

    async def _attach(self, sender, owner, body, data) -> Message:
        entry = find_job(self._journal, owner, body)
        self._news.follow(entry, sender)
        return Message("job.state", job_body(entry, self._dispatcher))

    async def _cancel(self, sender, owner, body, data) -> Message:
        await self._acceptance.settled(owner, body["job"])  # it may be right behind its job
        entry = find_job(self._journal, owner, body)
        self._dispatcher.cancel(entry)
        entry = self._journal.find(owner, entry.id)
        return Message("job.state", job_body(entry, self._dispatcher))

    async def _list(self, sender, owner, body, data) -> Message:
        jobs, room = [], LIST_BYTES
        for entry in self._journal.newest(owner):
            jobs.append(job_body(entry, self._dispatcher))
            room -= len(json.dumps(jobs[-1]))
            if room < 0:  # as many as a header holds
                break
        return Message("job.list", {"jobs": jobs})

    async def _picture(self, sender, owner, body, data) -> Message:
        entry = find_job(self._journal, owner, body)
        newest = self._dispatcher.progress(entry).picture
        told = {name: getattr(newest, name) for name in ("number", "width", "height")}
        return Message("job.picture", {"job": entry.id, **told}, data=newest.rgb)


def job_body(entry: Entry, dispatcher: Dispatcher) -> dict:
    """A job as clients are told of it: the body of ``job.state``."""
    progress = dispatcher.progress(entry)
    return {
        "job": entry.id,
        "name": entry.body["name"],
        "stage": entry.stage,
        "step": progress.done,
        "steps": progress.steps,
        "doing": progress.doing,
        "seconds_left": progress.seconds_left,
        "picture": progress.picture.number,
        "remarks": entry.result["remarks"] if entry.result else progress.remarks,
        "ahead": dispatcher.ahead(entry),
        "engine": entry.engine,
        "engine_reason": entry.engine_reason or dispatcher.trouble_of(entry),
        "result": entry.result,
        "error": entry.error,
        "accepted": entry.accepted,
        "ended": entry.ended,
    }
