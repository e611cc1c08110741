"""Kinds of settings: a dataclass field that knows what it takes and what it is for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any


def _setting(default, takes: str, right: Callable[[Any], bool], about: str):
    return field(default=default, metadata={"takes": takes, "right": right, "about": about})


def text(default: str | None, about: str):
    """Any string."""
    return _setting(default, "text", lambda value: isinstance(value, str), about)


def one_of(*choices: str, about: str):
    """One of some words; the first is the default."""
    return _setting(choices[0], " or ".join(choices), lambda value: value in choices, about)


def whole(default: int, least: int, most: int, about: str):
    """A whole number from ``least`` to ``most``."""

    def right(value) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return _setting(default, f"a whole number, {least} to {most}", right, about)


def number(default: float, least: float, most: float, about: str):
    """A number from ``least`` to ``most``."""

    def right(value) -> bool:
        real = isinstance(value, int | float) and not isinstance(value, bool)
        return real and least <= value <= most  # which NaN never is

    return _setting(default, f"a number, {least:g} to {most:g}", right, about)


def flag(default: bool, about: str):
    """True or false."""
    return _setting(default, "true or false", lambda value: isinstance(value, bool), about)


def size(about: str):
    """``auto``, or ``WxH`` in pixels."""

    def right(value) -> bool:
        return isinstance(value, str) and bool(
            re.fullmatch(r"auto|[1-9]\d{1,4}x[1-9]\d{1,4}", value)
        )

    return _setting("auto", "auto, or width and height such as 832x480", right, about)
