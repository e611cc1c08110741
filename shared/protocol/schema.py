"""Every message of docs/protocol.md: its exact fields, and how much data it may carry.

Checked before anything else touches a message: what comes after may trust what it is given.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import RecamError
from ..takes import MOST_TAKES
from .kinds import (
    Kind,
    fields,
    flag,
    hexadecimal,
    line,
    listed,
    maybe,
    number,
    one_of,
    rate,
    settings,
    whole,
    words,
)
from .limits import CHUNK_BYTES, DATA_BYTES, MOST_FRAMES, PICTURE_SIDE
from .messages import Message
from .strict_json import bad

MOST_PARTS = 1_000  # files of a clip: each job in the journal may name so many
MOST_PIXELS = 32_768  # of a side
MOST_FILE_BYTES = 1 << 40
MOST_FIRST = 100_000_000  # an in point, in frames: a month and a half

STAGES = ("queued", "rendering", "cancelling", "finished", "failed", "cancelled")

_JOB = hexadecimal(32)
_SHA256 = hexadecimal(64)
_OFFSET = whole(0, MOST_FILE_BYTES)
_PIXELS = whole(1, MOST_PIXELS)


@dataclass(frozen=True)
class Form:
    """What a type of message holds. data: bytes beside the header, the least and the most.

    instead: the field that names a file with the data, where the message has none, and only then.
    """

    body: Kind
    data: tuple[int, int] = (0, 0)
    instead: str = ""


def _exactly(**needed: Kind) -> Form:
    return Form(fields(needed))


REQUESTS = {
    "hello": _exactly(protocol=whole(1), client=line()),
    "server.info": _exactly(),
    "server.status": _exactly(),
    "blob.have": _exactly(sha256=_SHA256),
    "blob.put": _exactly(upload=_JOB, size=whole(1, MOST_FILE_BYTES), sha256=maybe(_SHA256)),
    "blob.chunk": Form(
        fields({"upload": _JOB, "offset": _OFFSET, "sha256": _SHA256}), (1, CHUNK_BYTES)
    ),
    "blob.end": _exactly(upload=_JOB, sha256=_SHA256),
    "blob.drop": _exactly(upload=_JOB, sha256=maybe(_SHA256)),
    "job.estimate": _exactly(
        engine=line(40),
        settings=settings,
        width=_PIXELS,
        height=_PIXELS,
        frames=whole(1, MOST_FRAMES),
        rate=rate,
        depth=flag,
        start=flag,
    ),
    "job.submit": Form(
        fields(
            {
                "job": _JOB,
                "engine": line(40),
                "name": line(),
                "parts": listed(_SHA256, 1, MOST_PARTS),
                "first": whole(0, MOST_FIRST),
                "depth": maybe(_SHA256),
                "start": maybe(_SHA256),
                "audio": flag,
                "untagged_matrix": one_of(None, 1, 6),
                "settings": settings,
            },
            {"delete_on_delivery": flag, "shot": _SHA256},
        ),
        (0, DATA_BYTES),
        instead="shot",
    ),
    "job.attach": _exactly(job=_JOB),
    "job.cancel": _exactly(job=_JOB),
    "job.picture": _exactly(job=_JOB),
    "job.list": _exactly(),
    "result.get": _exactly(job=_JOB, take=whole(0, MOST_TAKES - 1), offset=_OFFSET),
    "result.delivered": Form(fields({"job": _JOB}, {"delete": flag})),
}


def _told(optional: dict[str, Kind] | None = None, /, **needed: Kind) -> Kind:
    """What a server tells: a newer one may tell more, an older one lacks what is optional."""
    return fields(needed, optional, others=True)


_ERROR = _told(code=line(), sentence=words(), hint=words())
_REMARKS = listed(words(), 0, 1000)
_TAKE = _told(
    {"content_size": listed(_PIXELS, 2, 2), "report": _told()},
    size=whole(1, MOST_FILE_BYTES),
    sha256=_SHA256,
    width=_PIXELS,
    height=_PIXELS,
    frames=whole(1),
)
_STATE = _told(
    {"picture": whole(), "remarks": _REMARKS, "accepted": number, "ended": maybe(number)},
    job=_JOB,
    name=line(),
    stage=one_of(*STAGES),
    doing=line(),
    step=whole(),
    steps=whole(),
    seconds_left=maybe(number),
    ahead=whole(),
    engine=line(),
    engine_reason=words(),
    result=maybe(_told({"remarks": _REMARKS}, takes=listed(_TAKE, 1, MOST_TAKES))),
    error=maybe(_ERROR),
)
_ABOUT = _told(
    {"trouble": words(), "chunk_bytes": whole(1), "credit": whole(1)},
    protocol=whole(1),
    server=line(),
    engines=listed(_told(name=line(40), description=words(), can_run=flag, reason=words()), 0, 100),
)

_LANE = _told(
    name=line(40),
    engines=listed(line(40), 0, 100),
    worker=line(40),
    memory=whole(),
    device=_told({"name": line(), "memory": whole(), "memory_used": whole()}),
    restarts=whole(),
    waiting=whole(),
    at_work=flag,
    doing=line(),
    step=whole(),
    steps=whole(),
    seconds_left=maybe(number),
    trouble=words(),
)
_STATUS = _told(
    server=line(),
    python=line(),
    system=line(),
    packages=_told(),
    began=number,
    seconds=number,
    memory=whole(),
    lanes=listed(_LANE, 0, 100),
    queue=_told(
        waiting=whole(),
        at_work=whole(),
        yours=listed(_told(job=_JOB, stage=one_of(*STAGES), ahead=whole()), 0, 10_000),
    ),
    ended=_told({stage: whole() for stage in STAGES}),
    disk=_told(
        **dict.fromkeys(
            ("clips", "uploads", "results", "yours", "most", "most_yours", "free"), whole()
        )
    ),
    limits=_told(),
    trouble=words(),
)

ANSWERS = {
    "error": Form(_ERROR),
    "welcome": Form(_ABOUT),
    "server.info": Form(_ABOUT),
    "server.status": Form(_STATUS),
    "blob.held": Form(_told(sha256=_SHA256)),
    "blob.missing": Form(_told(sha256=_SHA256)),
    "blob.go": Form(_told(upload=_JOB, offset=_OFFSET)),
    "blob.ack": Form(_told(upload=_JOB, offset=_OFFSET)),
    "blob.dropped": Form(_told(upload=_JOB)),
    "job.estimate": Form(
        _told(
            {
                "memory": maybe(whole()),
                "memory_available": maybe(whole()),
                "ahead_seconds": maybe(number),
            },
            engine=line(),
            engine_reason=words(),
            seconds=maybe(number),
            device=words(),
            ahead=whole(),
            sentences=listed(words(), 0, 1000),
        )
    ),
    "job.accepted": Form(_told(job=_JOB)),
    "job.state": Form(_STATE),
    "job.list": Form(_told(jobs=listed(_STATE, 0, 100))),
    "job.picture": Form(
        _told(
            job=_JOB,
            number=whole(),
            width=whole(0, PICTURE_SIDE),
            height=whole(0, PICTURE_SIDE),
        ),
        (0, 3 * PICTURE_SIDE**2),
    ),
    "result.chunk": Form(_told(job=_JOB, take=whole(), offset=_OFFSET), (0, CHUNK_BYTES)),
}

# What each request is answered by, apart from ``error``; the others by their own type.
ANSWERED_BY = {
    "hello": ("welcome",),
    "blob.have": ("blob.held", "blob.missing"),
    "blob.put": ("blob.go", "blob.held"),
    "blob.chunk": ("blob.ack",),
    "blob.end": ("blob.held",),
    "blob.drop": ("blob.dropped",),
    "job.submit": ("job.accepted",),
    "job.attach": ("job.state",),
    "job.cancel": ("job.state",),
    "result.get": ("result.chunk",),
    "result.delivered": ("job.state",),
}


def check_request(message: Message) -> None:
    """RecamError ``unknown_message`` or ``bad_message`` unless it is a request as specified."""
    form = REQUESTS.get(message.type)
    if form is None:
        raise unknown(message.type)
    if message.re is not None:
        raise bad("is a request and an answer at once")
    _check(form, message)


def check_answer(message: Message, request: str = "") -> None:
    """RecamError ``bad_message`` unless it is what a server says, as far as it is specified.

    request: the type of what it answers, where that is known.
    """
    form = ANSWERS.get(message.type)
    if form is None:
        raise bad("is of a type that no server sends")
    if request and message.type not in ("error", *ANSWERED_BY.get(request, (request,))):
        raise bad(f"of the type {message.type} answers {request}")
    _check(form, message)


def unknown(kind: str) -> RecamError:
    """The error for a type of message that the server does not know."""
    return RecamError(
        "unknown_message",
        f"The server does not know the message {kind!r}.",
        "Install the same version of Recam on both sides.",
    )


def _check(form: Form, message: Message) -> None:
    least, most = form.data
    if not least <= len(message.data) <= most:
        raise bad(f"carries {len(message.data)} bytes of data; it may be {least} to {most}")
    form.body(message.body, "body")
    if form.instead and (form.instead in message.body) == bool(len(message.data)):
        raise bad(f"needs its {form.instead} as data, or as a file by that field, and not both")
