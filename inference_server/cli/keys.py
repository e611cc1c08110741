"""``recam keys``: who may use this user's server, and with which key this user comes to one."""

from __future__ import annotations

import argparse
import shlex
import socket
import sys
import time
from pathlib import Path

from shared.client.address import full_address
from shared.folders import config_folder
from shared.protocol.keys import client_keys, public_key_of, server_keys, use_key
from shared.protocol.limits import DEFAULT_PORT

from ..front.journal.job_events import short_owner
from ..front.network import clients


def add_parsers(commands) -> None:
    """Add the subcommand and its own."""
    parser = commands.add_parser(
        "keys", help="list, make and revoke the keys that the server lets in"
    )
    parser.set_defaults(run=run_list)
    actions = parser.add_subparsers(metavar="ACTION")

    action = _action(
        actions, "list", "list the keys that are let in (also without a word)", run_list
    )

    action = _action(actions, "make", "make a key for another person's machine", run_make)
    action.add_argument("name", help="what to call them here")
    action.add_argument(
        "-o", "--out", type=Path, help="the file to hand over (default: NAME.key, here)"
    )
    action.add_argument(
        "--server",
        metavar="ADDRESS",
        help="where they reach this server, for the words to hand over with it",
    )

    action = _action(actions, "allow", "let in a key that somebody has sent", run_allow)
    action.add_argument("name", help="what to call them here")
    action.add_argument("key", help="their public key in quotes, or the file client.pub")

    action = _action(actions, "revoke", "let a key in no more", run_revoke)
    action.add_argument("client", metavar="NAME|KEY", help="as `recam keys` lists it")

    action = _action(actions, "use", "come to servers with a key that was handed over", run_use)
    action.add_argument("file", type=Path, help="the file that `recam keys make` has made")


def _action(actions, name: str, words: str, run) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=words)
    action.set_defaults(run=run)
    return action


def run_list(options: argparse.Namespace) -> int:
    """One line for each key, this user's own first, and the server's if there is one."""
    listed = clients.listed()
    width = max(len(name) for name in ("(yours)", *(each.name for each in listed)))
    print(f"{'(yours)':<{width}}  {_with_owner(client_keys().public)}")
    for each in listed:
        key = _with_owner(each.key) if each.key else f"{'damaged: not one line of a key':<50}"
        since = time.strftime("%Y-%m-%d", time.localtime(each.since))
        print(f"{each.name:<{width}}  {key}  since {since}")
    print(
        "The 8 digits after each key stand for its owner in the server's log, and begin the names "
        "of their folders."
    )
    if (config_folder() / "server.key").exists():
        print(f"Clients know the server by its own key, {server_keys().public.decode()}.")
    else:
        print("No server of yours has been started here, so there is no key of one yet.")
    return 0


def run_make(options: argparse.Namespace) -> int:
    """Make a pair, list its public half, and say what to do with the other."""
    out = options.out or Path(f"{options.name}.key")
    address = _address(options)
    clients.make(options.name, out)
    key = server_keys().public.decode()
    print(
        f"{out} is the key of {options.name}, who is let in from now on. It is a secret: hand it "
        "over so that nobody else sees it, then delete it here.\n"
        f"There, at a command line (the first once, the others in the shell's profile; in "
        "PowerShell `$env:RECAM_SERVER = '…'`):\n\n"
        f"  recam keys use {shlex.quote(out.name)}\n"
        f"  export RECAM_SERVER={shlex.quote(address)}\n"
        f"  export RECAM_SERVER_KEY='{key}'\n\n"
        "With the add-on: put the file into Recam's config folder there (Linux: ~/.config/recam; "
        "macOS: ~/Library/Application Support/recam; Windows: %APPDATA%\\recam) under the name "
        "client.key, and delete client.pub beside it, unless the first command has been run. Then "
        "enter in the add-on's preferences:\n\n"
        f"  the server's address  {address}\n  the server's key      {key}"
    )
    if not options.server:
        print(
            "\nThe address is this machine's name with the usual port: say --server where the "
            "server listens elsewhere. The server must have been started with --host."
        )
    return 0


def run_allow(options: argparse.Namespace) -> int:
    """List a public key."""
    clients.allow(options.name, public_key_of(options.key))
    print(f"{options.name} is let in from now on.")
    return 0


def run_revoke(options: argparse.Namespace) -> int:
    """Take a key off the list."""
    client = clients.revoke(options.client)
    print(
        f"{client.name} is no longer let in, and gets nothing more over connections that are "
        "open. What they have waiting or at work is cancelled; their results stay until they are "
        "old enough to be deleted."
    )
    return 0


def run_use(options: argparse.Namespace) -> int:
    """Take a key over as this user's own."""
    keys, kept = use_key(options.file)
    print(f"This user's key is now {keys.public.decode()}, in {config_folder()}.")
    if kept:
        print(f"The one before is kept as {kept}; jobs that it sent answer to it alone.")
    print("A Blender that is open uses it once it is started again.", file=sys.stderr)
    return 0


def _with_owner(key: bytes) -> str:
    return f"{key.decode()}  {short_owner(key.decode())}"


def _address(options: argparse.Namespace) -> str:
    return full_address(options.server or f"{socket.gethostname()}:{DEFAULT_PORT}")
