"""Kinds of fields in a message: each a function that refuses what a field may not hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ..cameras.recam_json import read_rate
from .strict_json import bad

Kind = Callable[[Any, str], None]  # value and field; RecamError ``bad_message``

MOST_WHOLE = 2**53
MOST_WORDS = 10_000  # characters of a string of several lines

# What would break a line, move a terminal's cursor, turn the reading direction, or be no UTF-8.
_UNSEEN = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_NOT_A_LINE = re.compile(f"[{_UNSEEN}]")
_NOT_WORDS = re.compile(f"(?![\n\t])[{_UNSEEN}]")
_HEX = re.compile("[0-9a-f]*")
_SETTING = re.compile(r"[a-z][a-z0-9_]{0,63}")


def one_line(text: str, longest: int = 200) -> str:
    """``text`` as ``line`` takes it: cut, with a space for each character that may not be there."""
    return _NOT_A_LINE.sub(" ", text)[:longest]


def printable(text: str) -> str:
    """``text`` as ``words`` takes it, with a space for each character that may not be there."""
    return _NOT_WORDS.sub(" ", text)


def is_hexadecimal(value: Any, digits: int) -> bool:
    """Whether it is a string of exactly so many hexadecimal digits, in lower case."""
    return isinstance(value, str) and len(value) == digits and bool(_HEX.fullmatch(value))


def whole(least: int = 0, most: int = MOST_WHOLE) -> Kind:
    """A whole number from ``least`` to ``most``."""

    def check(value: Any, name: str) -> None:
        if type(value) is not int:
            raise bad(f"needs the field {name} as a whole number")
        if not least <= value <= most:
            raise bad(f"has a {name} that does not lie between {least} and {most}")

    return check


def number(value: Any, name: str) -> None:
    """A finite number."""
    if type(value) not in (int, float) or not -1e300 <= value <= 1e300:
        raise bad(f"needs the field {name} as a number")


def flag(value: Any, name: str) -> None:
    """True or false."""
    if type(value) is not bool:
        raise bad(f"needs the field {name} as true or false")


def line(longest: int = 200) -> Kind:
    """A string without line breaks and control characters: it goes into logs and sentences."""
    return _string(longest, _NOT_A_LINE)


def words(longest: int = MOST_WORDS) -> Kind:
    """A string that may have several lines, but no other control characters."""
    return _string(longest, _NOT_WORDS)


def _string(longest: int, wrong: re.Pattern) -> Kind:
    def check(value: Any, name: str) -> None:
        if not isinstance(value, str):
            raise bad(f"needs the field {name} as a string")
        if len(value) > longest:
            raise bad(f"has a {name} of {len(value)} characters; {longest} is the most")
        if wrong.search(value):
            raise bad(f"has a {name} with characters that cannot be shown")

    return check


def hexadecimal(digits: int) -> Kind:
    """A string of exactly so many hexadecimal digits: these become names of files."""

    def check(value: Any, name: str) -> None:
        if not is_hexadecimal(value, digits):
            raise bad(f"has a {name} that is not {digits} hexadecimal digits")

    return check


def one_of(*choices: Any) -> Kind:
    """One of some plain values, and of its type."""

    def check(value: Any, name: str) -> None:
        if not any(type(value) is type(each) and value == each for each in choices):
            raise bad(f"has a {name} that is none of {json.dumps(choices)[1:-1]}")

    return check


def maybe(kind: Kind) -> Kind:
    """Null, or that."""

    def check(value: Any, name: str) -> None:
        if value is not None:
            kind(value, name)

    return check


def listed(kind: Kind, least: int, most: int) -> Kind:
    """A list of so many of that."""

    def check(value: Any, name: str) -> None:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise bad(f"needs the field {name} as a list of {least} to {most}")
        for each in value:
            kind(each, name)

    return check


def rate(value: Any, name: str) -> None:
    """Frames a second as text; also RecamError ``camera_rate``."""
    line(40)(value, name)
    if not 0 < read_rate(value) < 100_000:
        raise bad(f"has the {name} {value}, which is none")


def settings(value: Any, name: str) -> None:
    """An engine's settings: at most 64 short names with plain, finite values."""
    if not isinstance(value, dict) or len(value) > 64:
        raise bad(f"needs the field {name} as an object of at most 64 fields")
    for key, each in value.items():
        if not _SETTING.fullmatch(key):
            raise bad("has a setting whose name is not of small letters, digits and _")
        if isinstance(each, str):
            words()(each, key)
        elif type(each) is not bool and not (
            type(each) in (int, float) and -MOST_WHOLE <= each <= MOST_WHOLE
        ):
            raise bad(f"has a setting {key} that is not a plain, finite value")


def fields(
    needed: dict[str, Kind], optional: dict[str, Kind] | None = None, *, others: bool = False
) -> Kind:
    """An object with those fields. others: whether unknown ones are passed over."""
    known = needed | (optional or {})

    def check(value: Any, name: str) -> None:
        if not isinstance(value, dict):
            raise bad(f"needs the field {name} as an object")
        if missing := needed.keys() - value.keys():
            raise bad(f"lacks the field {min(missing)} in its {name}")
        if not others and value.keys() - known.keys():
            raise bad(f"has a field in its {name} that does not belong there")
        for field, kind in known.items():
            if field in value:
                kind(value[field], field)

    return check
