"""Finds words on a picture of the screen, as a person would: by reading it."""

from __future__ import annotations

import csv
import difflib
import io
import re
from dataclasses import dataclass

SAME_LINE = 6  # pixels between the middles of two words
NEAR = 14  # pixels between a word and the next of a phrase
ALIKE = 0.84  # letters that must agree: a reader mistakes one now and then


@dataclass(frozen=True)
class Word:
    """A word and its place in pixels from the picture's upper left."""

    text: str
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[int, int]:
        return round(self.x + self.width / 2), round(self.y + self.height / 2)


def words(table: str, scale: float, x: int, y: int) -> list[Word]:
    """The words of tesseract's table of a picture that was enlarged and cut out at x, y."""
    found = []
    for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
        if float(row["conf"]) < 10 or not _letters(row["text"]):
            continue
        left, top, width, height = (
            int(row[name]) / scale for name in ("left", "top", "width", "height")
        )
        found.append(Word(row["text"], x + left, y + top, width, height))
    return found


def find(found: list[Word], phrase: str) -> list[Word]:
    """Every place where ``phrase`` is read, from the top, each as one word.

    Where it is nowhere read as it is written, a letter that was mistaken is forgiven.
    """
    wanted = _letters(phrase)
    runs = [run for first in found for run in _runs([first, *_after(first, found)])]
    exact = [run for run in runs if _read(run) == wanted]
    alike = [
        run
        for run in runs
        if abs(len(_read(run)) - len(wanted)) <= 1
        and difflib.SequenceMatcher(None, _read(run), wanted, autojunk=False).ratio() >= ALIKE
    ]
    return sorted(map(_together, exact or alike), key=lambda word: (word.y, word.x))


def _runs(line: list[Word]) -> list[list[Word]]:
    return [line[:count] for count in range(1, len(line) + 1)]


def _read(run: list[Word]) -> str:
    return "".join(_letters(word.text) for word in run)


def _after(first: Word, found: list[Word]) -> list[Word]:
    """The words that follow it on its line, as far as they stand near."""
    line = [
        word
        for word in found
        if word.x > first.x and abs(word.middle[1] - first.middle[1]) <= SAME_LINE
    ]
    near, edge = [], first.x + first.width
    for word in sorted(line, key=lambda word: word.x):
        if word.x - edge > NEAR:
            break
        near.append(word)
        edge = word.x + word.width
    return near


def _together(line: list[Word]) -> Word:
    left, top = min(word.x for word in line), min(word.y for word in line)
    right = max(word.x + word.width for word in line)
    bottom = max(word.y + word.height for word in line)
    return Word(" ".join(word.text for word in line), left, top, right - left, bottom - top)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9%]", "", text.casefold())
