"""``recam doctor``: what is installed, what can run, what is missing, in sentences."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import platform
import shutil
from pathlib import Path

from shared.client.client import Client
from shared.errors import RecamError
from shared.folders import config_folder, state_folder
from shared.protocol.keys import client_keys, server_keys
from shared.version import VERSION

from ..devices import devices
from ..engines.registry import EngineStatus, choose, engine_statuses
from ..observing.logs import folder as log_folder
from ..releases.layout import children, default_releases, missing_parts, releases_in
from . import connecting

PACKAGES = ("numpy", "pyzmq", "av", "opencv-python-headless", "safetensors", "psutil")


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("doctor", help="tell what is installed and what is missing")
    parser.add_argument(
        "--releases", type=Path, default=default_releases(), help="folder of weights"
    )
    connecting.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print what there is to say; the exit status is 1 if no engine can run."""
    for sentence in sentences(options.releases, options.server, options.server_key):
        print(sentence)
    return 0 if any(status.can_run for status in engine_statuses(options.releases)) else 1


def sentences(releases: Path, server: str | None, server_key: str | None) -> list[str]:
    """All that there is to say.

    releases: the folder of weights. server, server_key: where a server is looked for, as
    ``Client`` takes them.
    """
    statuses = engine_statuses(releases)
    return [
        f"Recam {VERSION} runs on Python {platform.python_version()}, {platform.platform()}.",
        _packages(),
        *devices(),
        *(
            f"The engine {s.name} {'can run: ' if s.can_run else 'cannot run: '}{s.reason}"
            for s in statuses
        ),
        *_weights(releases),
        _keys(),
        _disk(),
        _server(server, server_key),
        _auto(statuses),
    ]


def _auto(statuses: list[EngineStatus]) -> str:
    try:
        name, reason = choose("auto", statuses)
    except RecamError as error:
        return str(error)
    return f"`auto` would take {name}. {reason}"


def _packages() -> str:
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    if importlib.util.find_spec("torch") is None:
        return f"Installed: {versions}. PyTorch is not; only the projection engine works without."
    return f"Installed: {versions}, torch {importlib.metadata.version('torch')}."


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "(missing: pip install " + package + ")"


def _weights(releases: Path) -> list[str]:
    found = [f"The weights of ReCamMaster are complete in {r.path}." for r in releases_in(releases)]
    if found:
        return found
    if not children(releases):
        return [f"There are no weights in {releases}."]
    return [f"Missing from {releases}: {name}." for name in missing_parts(releases)]


def _keys() -> str:
    try:
        server_keys()
        client_keys()
    except RecamError as error:
        return str(error)
    return f"Your keys are in {config_folder()}."


def _disk() -> str:
    place = state_folder()
    folder = next((each for each in (place, *place.parents) if each.exists()), None)
    if folder is None:  # in Windows
        return f"The server's files would go to {place}, on a drive that is not there."
    free = shutil.disk_usage(folder).free / 1e9
    log = log_folder(place)
    return f"The server's files go to {place}, its log to {log}; {free:.0f} GB are free there."


def _server(server: str | None, server_key: str | None) -> str:
    try:
        with Client(server, server_key) as client:
            about = client.server(3.0)
            return f"A server answers at {client.address}: {about['server']}."
    except RecamError as error:
        return error.sentence
