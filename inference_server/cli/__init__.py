"""The command ``recam``: one file per subcommand."""

from __future__ import annotations

import argparse
import sys

from shared.errors import RecamError
from shared.version import VERSION

from . import bench, calibrate, doctor, jobs, serve, submit, verify, weights


def main(arguments: list[str] | None = None) -> int:
    """Run ``recam``; the exit status is 0, or 1 with a sentence on stderr."""
    parser = argparse.ArgumentParser(prog="recam", description="Re-shoot a clip with a camera.")
    parser.add_argument("--version", action="version", version=f"recam {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (serve, submit, jobs, doctor, verify, bench, calibrate, weights):
        module.add_parsers(commands)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except RecamError as error:
        print(f"recam: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("recam: stopped.", file=sys.stderr)
        return 130
