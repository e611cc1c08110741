"""One message: a JSON header frame, and at most one frame of raw bytes.

Header: ``{"recam": 1, "type": "job.cancel", "id": 7, "re": 3, "body": {…}}``. ``id`` numbers the
sender's messages; ``re`` is the ``id`` that this one answers, or null. See docs/protocol.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import RecamError
from .kinds import MOST_WORDS, printable, whole
from .limits import DATA_BYTES, HEADER_BYTES, PROTOCOL
from .strict_json import bad, parse_json

_TYPE = re.compile(r"[a-z]+(\.[a-z]+)?")
_NUMBER = whole()


@dataclass(frozen=True)
class Message:
    """A message as it was sent: type, body, number, the number it answers, raw bytes."""

    type: str
    body: dict[str, Any] = field(default_factory=dict)
    id: int = 0
    re: int | None = None
    data: bytes | memoryview = b""


def pack(message: Message) -> list[bytes | memoryview]:
    """The frames of a message, header first."""
    header = {
        "recam": PROTOCOL,
        "type": message.type,
        "id": message.id,
        "re": message.re,
        "body": message.body,
    }
    frames: list[bytes | memoryview] = [json.dumps(header, allow_nan=False).encode()]
    if len(message.data):
        frames.append(message.data)
    return frames


def unpack(frames: Sequence[bytes | memoryview]) -> Message:
    """The message in these frames, or RecamError ``bad_message``."""
    if not 1 <= len(frames) <= 2:
        raise bad(f"has {len(frames)} frames instead of one or two")
    if len(frames[0]) > HEADER_BYTES:
        raise bad(f"has a header of {len(frames[0])} bytes; {HEADER_BYTES} is the most")
    data = frames[1] if len(frames) == 2 else b""
    if len(data) > DATA_BYTES:
        raise bad(f"carries {len(data)} bytes; {DATA_BYTES} is the most")
    header = parse_json(bytes(frames[0]), "header")
    if set(header) != {"recam", "type", "id", "re", "body"}:
        raise bad("does not have exactly the fields recam, type, id, re, body")
    if type(header["recam"]) is not int or header["recam"] != PROTOCOL:
        raise other_version(header["recam"])
    kind = header["type"]
    if not (isinstance(kind, str) and len(kind) <= 40 and _TYPE.fullmatch(kind)):
        raise bad("has no proper type")
    if not isinstance(header["body"], dict):
        raise bad("has a body that is not an object")
    _NUMBER(header["id"], "id")
    if header["re"] is not None:
        _NUMBER(header["re"], "re")
    return Message(kind, header["body"], header["id"], header["re"], data)


def other_version(number: object) -> RecamError:
    """The error for another side that says it speaks that version."""
    return RecamError(
        "protocol_version",
        f"The other side speaks version {repr(number)[:20]} of Recam's protocol, this side "
        f"version {PROTOCOL}.",
        "Install the same version of Recam on both sides.",
    )


def error_body(error: RecamError) -> dict[str, str]:
    """The body of an ``error`` message."""
    told = {"code": error.code, "sentence": error.sentence, "hint": error.hint}
    return {name: printable(words)[:MOST_WORDS] for name, words in told.items()}


def error_from(body: dict) -> RecamError:
    """The error that an ``error`` message or a failed job's body tells of."""
    return RecamError(body["code"], body["sentence"], body["hint"])
