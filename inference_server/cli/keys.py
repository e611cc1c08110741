"""``recam keys``: who may use this user's server, and with which key this user comes to one."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from shared.folders import config_folder
from shared.protocol.keys import client_keys, server_keys, use_key

from ..front.network import clients
from .connecting import public_key


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
    """One line for each key, this user's own first, and the server's."""
    listed = clients.listed()
    width = max(len(name) for name in ("(yours)", *(each.name for each in listed)))
    print(f"{'(yours)':<{width}}  {client_keys().public.decode()}")
    for each in listed:
        key = each.key.decode() if each.key else "damaged: not one line of 40 characters".ljust(40)
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.since))
        print(f"{each.name:<{width}}  {key}  since {since}")
    print(f"Clients know the server by its own key, {server_keys().public.decode()}.")
    return 0


def run_make(options: argparse.Namespace) -> int:
    """Make a pair, list its public half, and say what to do with the other."""
    out = options.out or Path(f"{options.name}.key")
    clients.make(options.name, out)
    print(
        f"{out} is the key of {options.name}, who is let in from now on. It is a secret: hand it "
        "over so that nobody else sees it, then delete it here.\n"
        f"There: `recam keys use {out.name}`, or, without that command, put it into Recam's "
        "config folder under the name client.key and delete client.pub beside it.\n"
        f"The server's key, for --server-key or the add-on's preferences: "
        f"{server_keys().public.decode()}"
    )
    return 0


def run_allow(options: argparse.Namespace) -> int:
    """List a public key."""
    clients.allow(options.name, public_key(options.key))
    print(f"{options.name} is let in from now on.")
    return 0


def run_revoke(options: argparse.Namespace) -> int:
    """Take a key off the list."""
    client = clients.revoke(options.client)
    print(
        f"{client.name} is let in no more, on connections that are open neither. Jobs of theirs "
        "that wait or are rendered are cancelled; their results stay until they are old enough "
        "to be deleted."
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
