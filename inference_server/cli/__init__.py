"""The command ``recam``: one file per subcommand."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from shared.errors import RecamError
from shared.version import VERSION

# Each command and the module that has it.
COMMANDS = {
    "serve": "serve",
    "submit": "submit",
    "fetch": "submit",
    "jobs": "jobs",
    "cancel": "jobs",
    "doctor": "doctor",
    "status": "status",
    "bundle": "bundle",
    "keys": "keys",
    "weights": "weights",
    "verify": "verify",
    "calibrate": "calibrate",
    "bench": "bench",
}


def main(arguments: list[str] | None = None) -> int:
    """Run ``recam``; the exit status is 0, or 1 with a sentence on stderr."""
    parser = argparse.ArgumentParser(prog="recam", description="Re-shoot a clip with a camera.")
    parser.add_argument("--version", action="version", version=f"recam {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    arguments = sys.argv[1:] if arguments is None else arguments
    # Only what is asked for: a machine with a card alone benches without ZeroMQ and codecs.
    asked = next((COMMANDS[word] for word in arguments if word in COMMANDS), None)
    for name in [asked] if asked else dict.fromkeys(COMMANDS.values()):
        import_module(f".{name}", __package__).add_parsers(commands)
    try:
        options = parser.parse_args(arguments)
        status = options.run(options)
        sys.stdout.flush()
        return status
    except RecamError as error:
        print(f"recam: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has enough, such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        return 141  # as the system says of a command that it ends for this
    except KeyboardInterrupt:
        print("recam: stopped.", file=sys.stderr)
        return 130
