"""What lies in the releases folder: complete, incomplete and unfinished releases. No torch here."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from shared.errors import RecamError

from .incoming import PLAN, holdings, incoming, scrap
from .layout import NETWORKS, Release, children, missing_parts, part_files, releases_in

_PARTS = len(NETWORKS) + 1  # a folder that lacks as many is no release at all


@dataclass(frozen=True)
class Shelved:
    """A release as ``recam weights list`` shows it.

    layout: empty for an unfinished one. size: bytes on disk; shared: those of them that other
    releases hold too. dtypes: by network where its file tells. sources: what it was made of.
    missing: what it lacks.
    """

    name: str
    path: Path
    layout: str = ""
    size: int = 0
    shared: int = 0
    dtypes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def shelf(releases: Path) -> list[Shelved]:
    """Every release in ``releases``: complete ones, incomplete ones, unfinished installs."""
    releases = releases.absolute()
    complete = [_shelved(release) for release in releases_in(releases)]
    incomplete = [
        Shelved(_name(path), path, "incomplete", size, missing=tuple(missing))
        for path in (releases, *children(releases))
        if 0 < len(missing := missing_parts(path)) < _PARTS and (size := holdings(path))
    ]
    begun = [
        Shelved(path.name, path, size=size)
        for path in children(incoming(releases))
        if (path / PLAN).is_file() and (size := holdings(path))
    ]
    return complete + incomplete + begun


def find(releases: Path, name: str) -> Shelved:
    """The release ``name`` in ``releases``, or RecamError ``weights_unknown``."""
    found = {shelved.name: shelved for shelved in reversed(shelf(releases))}
    if name not in found:
        there = f"There is: {', '.join(found)}." if found else "There is none at all."
        raise RecamError("weights_unknown", f"{releases} has no release named {name!r}.", there)
    return found[name]


def remove(releases: Path, shelved: Shelved) -> None:
    """Delete a release: it is gone at once, also where deleting its files takes a while.

    To be called while ``held``. RecamError ``weights_folder`` for one that is in use, or that is
    the releases folder itself.
    """
    releases = releases.absolute()
    if shelved.path.parent not in (releases, incoming(releases)):
        raise RecamError(
            "weights_folder",
            f"{shelved.path} holds weights beside other things; Recam does not delete it.",
            f"Delete {', '.join(sorted(p.name for p in shelved.path.iterdir()))} yourself.",
        )
    scrap(releases).mkdir(exist_ok=True)
    try:
        shelved.path.rename(scrap(releases) / shelved.name)
    except OSError as error:  # on Windows, while a server reads it
        raise RecamError(
            "weights_folder",
            f"{shelved.path} could not be deleted ({error.strerror or error}).",
            "Stop the server that uses it, then try again.",
        ) from error


def _name(path: Path) -> str:
    return path.stem if path.is_file() else path.name


def _shelved(release: Release) -> Shelved:
    files = {file for part in release.files.values() for file in part_files(part)}
    if release.layout == "recam":
        files = {file for file in release.path.rglob("*") if file.is_file()}
    sizes = [(file.stat().st_size, file.stat().st_nlink) for file in files]
    return Shelved(
        release.name,
        release.path,
        release.layout,
        sum(size for size, _ in sizes),
        sum(size for size, links in sizes if links > 1),
        tuple(
            f"{network} {dtype}"
            for network in NETWORKS
            if (dtype := _dtype(part_files(release.files[network])[-1]))
        ),
        _sources(release),
    )


def _dtype(file: Path) -> str:
    """The dtype of most tensors of a safetensors file; empty for a file of another kind."""
    try:
        with safe_open(file, framework="np") as tensors:
            found = Counter(tensors.get_slice(name).get_dtype() for name in tensors.keys())  # noqa: SIM118
    except SafetensorError:
        return ""
    return found.most_common(1)[0][0].lower()


def _sources(release: Release) -> tuple[str, ...]:
    if release.layout != "recam" or "config" not in release.files:
        return ()
    try:
        about = json.loads(release.files["config"].read_text(encoding="utf-8"))
        return tuple(dict.fromkeys(str(source["from"]) for source in about.get("sources", ())))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ("a release.json that tells nothing",)
