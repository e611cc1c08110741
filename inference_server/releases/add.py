"""Weights that are already on this machine, checked and converted to a release in place."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from .convert import OnProgress, convert_network, convert_tokenizer, finish
from .incoming import check_space, put_in_place, scrap
from .layout import NETWORKS, Release, find_release, missing_parts, part_files
from .whole import is_whole

_BLOCK = 1 << 22


def is_checkpoint(path: Path) -> bool:
    """Whether ``path`` is one whole file without VAE and text encoder: a transformer alone."""
    return path.is_file() and is_whole(path) and bool(missing_parts(path))


def add(source: Release, releases: Path, name: str, on_progress: OnProgress) -> Release:
    """Make the release ``name`` of one in any layout, whose files stay as they are.

    To be called while ``held``; what is unfinished goes away. Raises RecamError
    ``weights_broken`` or ``disk_full``.
    """
    networks = {network: source for network in NETWORKS}
    return _make(networks, source, releases, name, on_progress)


def add_checkpoint(
    path: Path, base: Release, releases: Path, name: str, on_progress: OnProgress
) -> Release:
    """Make the release ``name`` of a self-trained checkpoint and the other parts of ``base``.

    path: all of the transformer's tensors, or those that were trained, which are laid over
    ``base``'s. What needs no conversion is shared with ``base`` by hard links where the disk
    knows them, else copied. Errors as in ``add``.
    """
    own = Release(name, base.path, base.layout, base.files | {"camera": path})
    return _make({"transformer": own}, base, releases, name, on_progress)


def _make(
    converted: dict[str, Release],
    base: Release,
    releases: Path,
    name: str,
    on_progress: OnProgress,
) -> Release:
    made = scrap(releases) / name
    made.mkdir(parents=True)
    from_base = [network for network in NETWORKS if network not in converted]
    if base.layout != "recam":  # nothing in it is as it is to be
        converted = converted | dict.fromkeys(from_base, base)
        from_base = []
    files = _files(converted)
    check_space(releases, sum(file.stat().st_size for file in files))
    sources = [_source(file, on_progress) for file in files]
    for network, release in converted.items():
        convert_network(release, network, made, on_progress)
    for network in from_base:
        _share(base.files[network], made / f"{network}.safetensors")
        sources.append({"from": f"the release {base.name}", "file": f"{network}.safetensors"})
    convert_tokenizer(base, made)
    finish(made, sources, {})
    put_in_place(made, releases / name)
    return find_release(releases / name)


def _files(converted: dict[str, Release]) -> list[Path]:
    """The files that are read, each once."""
    files = [
        file
        for network, release in converted.items()
        for part in (network, "camera" if network == "transformer" else network)
        if part in release.files
        for file in part_files(release.files[part])
    ]
    return list(dict.fromkeys(files))


def _source(file: Path, on_progress: OnProgress) -> dict:
    size, done, digest = file.stat().st_size, 0, hashlib.sha256()
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            digest.update(block)
            done += len(block)
            on_progress(f"reading {file.name}", done, size)
    return {
        "from": str(file.parent.absolute()),
        "file": file.name,
        "size": size,
        "sha256": digest.hexdigest(),
    }


def _share(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)
