"""What every command that comes to a server takes: ``--server``, ``--server-key``, a job's id."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from shared.client.client import Client
from shared.errors import RecamError
from shared.protocol.keys import check_public_key, read_given_key
from shared.protocol.request import no_such_job

ID_DIGITS = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--server`` and ``--server-key``; the key is checked as it is read."""
    parser.add_argument(
        "--server",
        metavar="ADDRESS",
        help="such as tcp://studio:47811; default: that in the variable RECAM_SERVER, else this "
        "machine's",
    )
    parser.add_argument(
        "--server-key",
        metavar="KEY|FILE",
        type=lambda given: public_key(given).decode(),
        help="the server's public key in quotes, or a file that holds it (its server.pub); "
        "default: with RECAM_SERVER that in RECAM_SERVER_KEY, else that of your own server",
    )


def public_key(given: str) -> bytes:
    """A public key that was given as it is, or as a file. RecamError where it is neither."""
    try:
        return check_public_key(given)
    except RecamError as error:
        file = Path(given)
        if not file.is_file():
            raise RecamError(
                error.code,
                f"{given!r} is neither a public key (40 characters) nor a file.",
                "Give the whole line in quotes, or a .pub file that holds it.",
            ) from None
        if file.suffix == ".key":
            raise RecamError(
                "key_secret",
                f"{file} is the secret half of a key, which stays where it was made.",
                "Ask for the .pub file beside it.",
            ) from None
        return read_given_key(file)


def find_job(client: Client, given: str) -> str:
    """The id of the job that is meant by an id, or by its first characters as ``recam jobs`` has
    them.

    RecamError ``no_such_job``, ``job_ambiguous``.
    """
    if not re.fullmatch(f"[0-9a-f]{{1,{ID_DIGITS - 1}}}", given):
        return given
    found = [job["job"] for job in client.jobs() if job["job"].startswith(given)]
    if len(found) > 1:
        raise RecamError(
            "job_ambiguous",
            f"{len(found)} jobs of yours begin with {given}.",
            "Give more of its id; `recam jobs --long` lists all of it.",
        )
    if not found:
        raise no_such_job(given)
    return found[0]
