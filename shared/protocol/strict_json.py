"""JSON from strangers: nothing deep, doubled, endless or out of range gets through."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from ..errors import RecamError

DEEPEST = 16  # objects and lists inside each other
LONGEST_WHOLE = 40  # characters of a whole number: enough to say of any that it is too large

# Possessive, and content without a closing quote: linear whatever it is given.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def bad(what: str) -> RecamError:
    """RecamError ``bad_message`` for a message that ``what`` is wrong with."""
    return RecamError("bad_message", f"A message {what}.", "See docs/protocol.md.")


def parse_json(text: bytes, what: str, *, numbers: bool = True) -> dict[str, Any]:
    """A JSON object in UTF-8, or RecamError ``bad_message``.

    Refused: NaN and Infinity, a name twice in an object, more than ``DEEPEST`` levels; with
    ``numbers`` also those beyond any float and whole ones of more than ``LONGEST_WHOLE``
    characters, which costs a call for each number.
    """
    if text.count(b"[") + text.count(b"{") > DEEPEST and _depth(text) > DEEPEST:
        raise bad(f"has a {what} of more than {DEEPEST} levels")
    hooks = {"parse_int": _whole, "parse_float": _finite} if numbers else {}
    try:
        value = json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=_once, **hooks)
    except ValueError as error:
        raise bad(f"has a {what} that is not JSON ({error})") from None
    if not isinstance(value, dict):
        raise bad(f"has a {what} that is not a JSON object")
    return value


def _depth(text: bytes) -> int:
    brackets = np.frombuffer(_STRING.sub(b"", text).translate(None, _NO_BRACKETS), np.uint8)
    steps = np.where((brackets == ord("[")) | (brackets == ord("{")), np.int8(1), np.int8(-1))
    return int(np.cumsum(steps, dtype=np.int32).max(initial=0))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _refuse(constant: str):
    raise ValueError(f"{constant} is not a JSON number")


def _whole(text: str) -> int:
    if len(text) > LONGEST_WHOLE:
        raise ValueError(f"a whole number has {len(text)} digits")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is beyond any float")
    return value
