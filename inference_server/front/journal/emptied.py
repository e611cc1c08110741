"""What the journal keeps of a job whose footage is deleted: that it was, and how it ended."""

from __future__ import annotations

import re

from .entry import Entry

WORD = "deleted"  # in the place of what told of the footage
_FIGURES = ("size", "sha256", "width", "height", "frames")  # of a take; a client looks for these


def emptied(entry: Entry) -> tuple[dict, dict | None, dict | None]:
    """Body, result and error of that job without names, settings, hashes of clips and remarks."""
    nothing = {"name": WORD, "parts": [], "first": 0, "depth": None, "start": None, "settings": {}}
    result = error = None
    if entry.result:
        takes = [{name: take[name] for name in _FIGURES} for take in entry.result["takes"]]
        result = entry.result | {"takes": takes, "remarks": []}
    if entry.error:
        said = [entry.body["name"], *filter(_is_text, entry.body["settings"].values())]
        error = {name: _without(said, text) for name, text in entry.error.items()}
    return entry.body | nothing | {"delete_on_delivery": False}, result, error


def is_emptied(entry: Entry) -> bool:
    """Whether there is nothing left to be overwritten."""
    return not entry.body["parts"]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _without(said: list[str], text: str) -> str:
    """``text`` without what the artist said, as it is or as Python quotes it."""
    for words in said:
        for form in {words, repr(words)[1:-1]} - {""}:
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", WORD, text)
    return text
