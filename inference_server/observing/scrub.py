"""Taking out of a text what is nobody else's business: people, machines, places, keys, clips."""

from __future__ import annotations

import contextlib
import getpass
import json
import re
import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from shared.folders import config_folder

ORDINARY = {"", "root", "recam", "localhost", "clip"}  # names that tell nothing
LEAST_NAME = 2  # characters: a shorter one is found everywhere
LONG = 20
ADDRESS = re.compile(r"tcp://(?!127\.|localhost|\[::1\])(\[[^\]\s]*\]|[^\s:\"']+)")


class Scrub:
    """Replaces what it knows. Longer things go first, so that a folder goes before its owner."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._pattern: re.Pattern | None = None

    def add(self, words: Iterable[str], instead: str) -> None:
        """From here on each of these, as it is and as JSON and Python write it, is ``instead``."""
        for word in words:
            if len(word) >= LEAST_NAME and word not in ORDINARY:
                plain = {word, _in_json(word), repr(word)[1:-1]}
                for form in plain | set(map(_in_json, plain)):
                    self._known.setdefault(form, instead)
        self._pattern = None

    def __call__(self, text: str) -> str:
        """The text without them, and without addresses of other machines."""
        text = ADDRESS.sub("tcp://(address)", text)
        if not self._known:
            return text
        if self._pattern is None:
            longest = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(_expression, longest)))
        return self._pattern.sub(lambda found: self._known[found[0]], text)


def _expression(word: str) -> str:
    # A short one may be a part of many words, a key of none.
    return re.escape(word) if len(word) >= LONG else rf"(?<!\w){re.escape(word)}(?!\w)"


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def of_this_machine(state: Path, releases: Path) -> Scrub:
    """One that knows this user, this machine, its folders and every key in the config folder."""
    scrub = Scrub()
    for folder, instead in (
        (state, "(state folder)"),
        (releases, "(weights)"),
        (config_folder(), "(config folder)"),
        (Path(sys.prefix), "(environment)"),
        (Path(__file__).parents[2], "(code)"),
        (Path.cwd(), "(this folder)"),
        (Path.home(), "~"),
    ):
        scrub.add({str(folder), str(folder.absolute()), str(folder.resolve())}, instead)
    user = {Path.home().name}
    with contextlib.suppress(OSError, KeyError):  # a user without a name
        user.add(getpass.getuser())
    scrub.add(user, "(user)")
    host = socket.gethostname()
    scrub.add({host, host.partition(".")[0]}, "(host)")
    for file in key_files():
        with contextlib.suppress(OSError):
            scrub.add({file.read_text(errors="replace").strip()}, "(key)")
        if file.parent != config_folder():
            scrub.add({file.stem}, "(client)")
    return scrub


def key_files() -> list[Path]:
    """This user's own keys, and those of the clients that their server lets in."""
    found = [config_folder().glob(pattern) for pattern in ("*.key", "*.pub", "*/*.pub")]
    return sorted(file for files in found for file in files)
