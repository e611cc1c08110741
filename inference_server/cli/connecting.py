"""What every command that comes to a server takes: ``--server``, ``--server-key``, a job's id."""

from __future__ import annotations

import argparse
import re

from shared.client.client import Client
from shared.errors import RecamError
from shared.protocol.keys import public_key_of
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
        type=lambda given: public_key_of(given, "--server-key").decode(),
        help="the server's public key in quotes, or a file that holds it (its server.pub); "
        "default: with RECAM_SERVER that in RECAM_SERVER_KEY, else that of your own server",
    )


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
