"""``recam serve``: the server."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from contextlib import closing, suppress
from pathlib import Path

from shared.errors import RecamError
from shared.folders import state_folder
from shared.protocol.limits import DEFAULT_PORT
from shared.version import VERSION

from ..front.limits import GB, Limits
from ..front.metrics import check_installed
from ..front.server import Front
from ..observing import logs
from ..releases.layout import default_releases

_log = logging.getLogger(__name__)

FILES = 4096  # that may be open at once


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("serve", help="run the server")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default 127.0.0.1: this machine alone); 0.0.0.0 for the "
        "network too, where only keys that `recam keys` lists are let in",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help=f"to listen at (default {DEFAULT_PORT}); 0 takes a free one",
    )
    parser.add_argument(
        "--state", type=Path, default=state_folder(), help="folder of journal, clips, takes"
    )
    parser.add_argument(
        "--releases", type=Path, default=default_releases(), help="folder of weights"
    )
    parser.add_argument(
        "--keep-days",
        type=_positive,
        metavar="DAYS",
        help="that results and clips are kept since they were last used (30, clips 14)",
    )
    parser.add_argument(
        "--most-gb",
        type=_positive,
        metavar="GB",
        help="that clips and results may take in all, half of it of one client (a quarter of the "
        "disk)",
    )
    parser.add_argument(
        "--delete-on-delivery",
        action="store_true",
        help="delete a job's takes and clips once its client has the takes, asked for or not",
    )
    parser.add_argument(
        "--quiet", action="store_true", help="log into the state folder alone, not to stderr"
    )
    parser.add_argument(
        "--metrics-port",
        type=_port,
        metavar="PORT",
        help="figures for Prometheus, at this port of this machine alone",
    )
    parser.set_defaults(run=run)


def _port(text: str) -> int:
    # ZeroMQ would take 99999 for another port, without a word.
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is not a port (0 to 65535)")
    return int(text)


def _positive(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) < 1e6:
            return number
    raise argparse.ArgumentTypeError(f"{text} is not a number above 0")


def _limits(options: argparse.Namespace) -> Limits:
    changes = {}
    if days := options.keep_days:
        changes |= {"result_days": days, "clip_days": days}
        changes["job_days"] = max(Limits.job_days, days)
    if options.most_gb:
        changes["bytes"] = int(options.most_gb * GB)
    return Limits(**changes)


def _more_files() -> None:
    """A connection and an upload hold one each; systems begin with as few as 256."""
    with suppress(ImportError, ValueError, OSError):  # not on Windows; not beyond the hard limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def run(options: argparse.Namespace) -> int:
    """Serve until told to stop."""
    # Footage is its owner's alone, also in a state folder that others may look into.
    os.umask(0o077)
    other_releases = options.releases != default_releases()
    # Prompts, paces and calibrations belong there, too; workers look for them by this.
    os.environ["RECAM_STATE"] = str(options.state.absolute())
    _more_files()
    host = options.host.strip("[]")
    host = f"[{host}]" if ":" in host else host  # one of IPv6
    if options.metrics_port is not None:
        check_installed()
    with closing(logs.start(quiet=options.quiet)) as log:
        front = Front(
            f"tcp://{host}:{options.port}",
            options.state,
            options.releases,
            _limits(options),
            options.delete_on_delivery,
            metrics_port=options.metrics_port,
        )
        log.to_file(options.state)  # which is this server's alone by now
        if other_releases and not options.releases.is_dir():
            _log.warning("there is no folder %s with weights: see --releases", options.releases)

        def say(address: str) -> None:
            logs.event(_log, "the server listens", version=VERSION, address=address)
            print(f"recam {VERSION} listens at {address}", flush=True)

        # ZeroMQ's descriptors need a selector; Windows' default loop has none.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            try:
                runner.run(front.run(say))
            except RecamError as error:
                log.file_alone()
                logs.event(_log, "the server cannot serve", logging.ERROR, code=error.code)
                raise
            except Exception:
                _log.exception("the server ends by a fault of its own")
                raise
        logs.event(_log, "the server has stopped")
    return 0
