"""``recam bundle``: what whoever is to help needs to know, in one file, without secrets."""

from __future__ import annotations

import argparse
import os
import zipfile
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from shared.client.client import Client
from shared.errors import RecamError
from shared.folders import state_folder

from ..observing.bundle import contents
from ..observing.scrub import of_this_machine
from ..releases.layout import default_releases
from . import connecting
from .doctor import sentences

ANSWER_SECONDS = 3.0  # for a server that may not be there


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "bundle", help="put together what support needs: logs and figures, no footage, no secrets"
    )
    parser.add_argument(
        "-o",
        "--out",
        "--output",
        dest="out",
        type=Path,
        help="the .zip to write (default: a new one here)",
    )
    parser.add_argument("--state", type=Path, default=state_folder(), help="the server's folder")
    parser.add_argument(
        "--releases", type=Path, default=default_releases(), help="folder of weights"
    )
    connecting.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the zip, and say what is in it. RecamError ``bundle_unwritable``."""

    def status() -> dict:
        with Client(options.server, options.server_key, patience=ANSWER_SECONDS) as client:
            return client.ask("server.status", {}, ANSWER_SECONDS).result(2 * ANSWER_SECONDS)

    def doctor() -> list[str]:
        return sentences(options.releases, options.server, options.server_key)

    out = options.out or Path(f"recam-bundle-{datetime.now():%Y-%m-%d-%H%M%S}.zip")
    file = _new_file(out)
    scrub = of_this_machine(options.state, options.releases)
    try:
        with file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in contents(options.state, options.releases, doctor, status, scrub):
                bundle.writestr(name, text)
                print(f"{len(text):>9} characters  {name}")
    except BaseException as error:
        out.unlink()
        if isinstance(error, OSError):
            raise _unwritable(out, error) from None
        raise
    print(
        f"{out} is written, and nothing is sent anywhere. It has no footage, no names of clips, "
        "no prompts and no keys; look into it before you hand it on."
    )
    return 0


def _new_file(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.fdopen(os.open(path, flags, 0o600), "wb")
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: OSError) -> RecamError:
    return RecamError(
        "bundle_unwritable",
        f"{path} cannot be written ({error.strerror}).",
        "Name a new file in a folder of yours with --out.",
    )
