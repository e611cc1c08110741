"""What goes into a bundle for support: file by file, text alone, nothing of it the artist's own."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from shared.errors import RecamError
from shared.folders import config_folder
from shared.version import VERSION
from shared.words import counted

from ..front.limits import Limits
from ..front.storage.kept import AWAY, DIGITS
from . import logs
from .journal_figures import artists_words, figures
from .scrub import Scrub, key_files

# In a state folder.
OWN = {*DIGITS, AWAY, "work", "log", "journal", "days", "paces", "prompts", "releases"}
LOG_BYTES = 4 * 1024 * 1024  # the newest ones

ABOUT = """\
This is what `recam bundle` has put together about a Recam server, to be sent by hand to whoever
is to help. Recam itself sends it nowhere.

versions.json   Recam, Python, the system, the packages that Recam uses
doctor.txt      what `recam doctor` says
status.json     what the server says of itself, or why it does not
journal.json    how many jobs there were, how they ended, how long they took
settings.json   the limits that a server has by itself, which of Recam's variables are set
folders.txt     what lies in the state folder, in numbers; the config folder's keys by kind
log/            the end of the server's log

No footage, no takes, no camera paths, no clip's name, no prompt, no key. Names of this user,
this machine and its folders are replaced. Look into it before you send it.
"""


def contents(
    state: Path,
    releases: Path,
    doctor: Callable[[], list[str]],
    status: Callable[[], dict],
    scrub: Scrub,
) -> Iterator[tuple[str, str]]:
    """Name and text of each file, scrubbed.

    doctor: gives its sentences. status: what the server says of itself.
    """
    journal = state / "journal.sqlite"
    with contextlib.suppress(sqlite3.Error, OSError):
        scrub.add(artists_words(journal), "(artist's words)")
    made: dict[str, Callable[[], object]] = {
        "versions.json": versions,
        "doctor.txt": lambda: "\n".join(doctor()),
        "status.json": status,
        "journal.json": lambda: figures(journal) if journal.is_file() else "There is none.",
        "settings.json": settings,
        "folders.txt": lambda: "\n".join([*state_listing(state), "", *config_listing()]),
    }
    yield "about.txt", ABOUT
    for name, make in made.items():
        try:
            found = make()
        except Exception as error:  # the rest all the same
            kind = "" if isinstance(error, RecamError) else f"{type(error).__name__}: "
            found = f"This could not be found out: {kind}{error}"
        text = found if isinstance(found, str) else json.dumps(found, indent=1, ensure_ascii=False)
        yield name, scrub(text + "\n")
    for name, text in log_tail(state):
        yield f"log/{name}", scrub(text)


def versions() -> dict:
    """Of Recam, Python, the system, and of those packages that Recam knows."""
    try:
        wanted = importlib.metadata.requires("recam") or []
    except importlib.metadata.PackageNotFoundError:  # run from its folder
        wanted = []
    return {
        "recam": VERSION,
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
        "threads": os.cpu_count(),
        "packages": {name: version for name in wanted for name, version in _version(name)},
    }


def settings() -> dict:
    """What a server is bounded by if nothing is said, and which variables say something."""
    return {
        "limits": asdict(Limits()),
        "variables_set": sorted(name for name in os.environ if name.startswith("RECAM_")),
    }


def state_listing(state: Path) -> list[str]:
    """How many files of which size lie where in a state folder."""
    if not state.is_dir():
        return ["There is no state folder."]
    said = [f"{shutil.disk_usage(state).free / 1e9:.1f} GB are free where the state folder lies."]
    for each in sorted(state.iterdir()):
        files = [file for file in (each.rglob("*") if each.is_dir() else [each]) if file.is_file()]
        size = sum(file.stat().st_size for file in files)
        name = each.name if each.name.partition(".")[0] in OWN else "(not Recam's)"
        said.append(f"state folder: {name}: {counted(len(files), 'file')}, {size / 1e6:.1f} MB")
    return said


def config_listing() -> list[str]:
    """The keys in the config folder: kind, size, who may read them. No contents, no names."""
    said = []
    for each in key_files():
        own = each.parent == config_folder()
        name = each.name if own else f"{each.parent.name}/*{each.suffix}"
        about = each.lstat()
        said.append(f"config folder: {stat.filemode(about.st_mode)} {about.st_size:>6} {name}")
    return said or ["There are no keys in the config folder."]


def log_tail(state: Path) -> Iterator[tuple[str, str]]:
    """Name and text of the log's newest files, newest first, whole lines, LOG_BYTES in all."""
    left = LOG_BYTES
    for file in reversed(logs.files(state)):
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - left))
            text = log.read(left).decode(errors="replace")
        yield file.name, text if size <= left else text.partition("\n")[2]
        left -= min(size, left)
        if not left:
            return


def _version(requirement: str) -> list[tuple[str, str]]:
    name = re.match(r"[\w.-]+", requirement)[0]
    try:
        return [(name, importlib.metadata.version(name))]
    except importlib.metadata.PackageNotFoundError:
        return [(name, "missing")]
