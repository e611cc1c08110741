"""One message: a JSON header frame, and at most one frame of raw bytes.

Header: ``{"recam": 1, "type": "job.cancel", "id": 7, "re": 3, "body": {…}}``. ``id`` numbers the
sender's messages; ``re`` is the ``id`` that this one answers, or null. See docs/protocol.md.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..errors import RecamError
from .limits import DATA_BYTES, HEADER_BYTES, PROTOCOL

_TYPE = re.compile(r"[a-z]+(\.[a-z]+)?")
_HEX32 = re.compile(r"[0-9a-f]{32}")
_HEX64 = re.compile(r"[0-9a-f]{64}")


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
    if header["recam"] != PROTOCOL:
        raise RecamError(
            "protocol_version",
            f"The other side speaks version {header['recam']!r} of Recam's protocol, "
            f"this side version {PROTOCOL}.",
            "Install the same version of Recam on both sides.",
        )
    kind = header["type"]
    if not (isinstance(kind, str) and len(kind) <= 40 and _TYPE.fullmatch(kind)):
        raise bad("has no proper type")
    reply = header["re"]
    return Message(
        type=kind,
        body=require(header, "body", dict),
        id=whole(header, "id"),
        re=None if reply is None else whole(header, "re"),
        data=data,
    )


def error_body(error: RecamError) -> dict[str, str]:
    """The body of an ``error`` message."""
    return {"code": error.code, "sentence": error.sentence, "hint": error.hint}


def error_from(body: dict) -> RecamError:
    """The error that an ``error`` message or a failed job's body tells of."""
    return RecamError(
        str(body.get("code", "unknown")),
        str(body.get("sentence", "The server reported an error without words.")),
        str(body.get("hint", "")),
    )


def bad(what: str) -> RecamError:
    """RecamError ``bad_message`` for a message that ``what`` is wrong with."""
    return RecamError("bad_message", f"A message {what}.", "See docs/protocol.md.")


def parse_json(text: bytes, what: str) -> dict[str, Any]:
    """A JSON object, or RecamError ``bad_message``; NaN and Infinity are refused."""

    def refuse(constant: str):
        raise ValueError(f"{constant} is not a JSON number")

    try:
        value = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise bad(f"has a {what} that is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise bad(f"has a {what} that is not a JSON object")
    return value


def require(body: dict, name: str, kind: type) -> Any:
    """``body[name]`` if it is there and of that type, else RecamError ``bad_message``."""
    value = body.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad(f"needs the field {name} as {kind.__name__}")
    return value


def whole(body: dict, name: str, least: int = 0, most: int = 2**53) -> int:
    """A whole number between ``least`` and ``most``."""
    value = require(body, name, int)
    if not least <= value <= most:
        raise bad(f"has {name} = {value}; it must lie between {least} and {most}")
    return value


def text(body: dict, name: str, longest: int = 200) -> str:
    """A string of at most ``longest`` characters."""
    value = require(body, name, str)
    if len(value) > longest:
        raise bad(f"has a {name} of {len(value)} characters; {longest} is the most")
    return value


def identifier(body: dict, name: str) -> str:
    """A job's or an upload's id: 32 hexadecimal digits."""
    value = require(body, name, str)
    if not _HEX32.fullmatch(value):
        raise bad(f"has a {name} that is not 32 hexadecimal digits")
    return value


def digest(body: dict, name: str) -> str:
    """A SHA-256 as 64 hexadecimal digits."""
    return check_digest(require(body, name, str), name)


def check_digest(value: Any, name: str) -> str:
    """``value`` if it is a SHA-256 as 64 hexadecimal digits, else RecamError ``bad_message``."""
    if not (isinstance(value, str) and _HEX64.fullmatch(value)):
        raise bad(f"has a {name} that is not a SHA-256 in hexadecimal")
    return value


def scalar_settings(body: dict, name: str) -> dict[str, str | int | float | bool]:
    """An engine's settings: at most 64 short names with plain, finite values."""
    settings = require(body, name, dict)
    if len(settings) > 64:
        raise bad(f"has {len(settings)} {name}; 64 is the most")
    for key, value in settings.items():
        plain = isinstance(value, (bool, int, float, str)) and len(key) <= 64
        if not plain or (isinstance(value, float) and not math.isfinite(value)):
            raise bad(f"has a setting {key[:64]!r} that is not a plain, finite value")
        if isinstance(value, str) and len(value) > 10_000:
            raise bad(f"has a setting {key!r} of {len(value)} characters; 10000 is the most")
    return settings
