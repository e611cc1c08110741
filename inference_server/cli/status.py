"""``recam status``: what a server is doing, and how it is."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta

from shared.client.client import Client
from shared.protocol.kinds import printable
from shared.words import counted, size

from . import connecting

ANSWER_SECONDS = 10.0


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("status", help="tell what the server is doing and how it is")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")
    connecting.add_arguments(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print it; RecamError where the server does not answer."""
    with Client(options.server, options.server_key, patience=ANSWER_SECONDS) as client:
        status = client.ask("server.status", {}, ANSWER_SECONDS).result(2 * ANSWER_SECONDS)
        engines = client.server(ANSWER_SECONDS)["engines"]
    if options.json:
        print(json.dumps(status, indent=1))
        return 0
    columns = max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
    for line in map(printable, sentences(status, engines)):
        print(_wrapped(line, columns) if columns else line)
    return 0


def _wrapped(line: str, columns: int) -> str:
    return textwrap.fill(line, columns, subsequent_indent="    ", break_long_words=False)


def sentences(status: dict, engines: list[dict]) -> Iterator[str]:
    """The answer to ``server.status`` as a person reads it, line by line.

    engines: as ``server.info`` tells them.
    """
    up = timedelta(seconds=round(status["seconds"]))
    packages = ", ".join(f"{name} {v}" for name, v in status["packages"].items() if v)
    yield f"{status['server'].capitalize()}, up for {up}, on {status['system']}."
    yield f"Python {status['python']}; {packages}."
    yield f"The server itself takes {size(status['memory'])} of memory."
    if status["trouble"]:
        yield f"Trouble: {status['trouble']}"
    yield ""
    for lane in status["lanes"]:
        yield _lane(lane)
    for engine in engines:
        can = "can run" if engine["can_run"] else "cannot run"
        yield f"{engine['name']} {can}: {engine['reason']}"
    queue, ended = status["queue"], status["ended"]
    yield ""
    jobs = ", ".join(f"{count} {stage}" for stage, count in ended.items()) or "none"
    yield f"Jobs ended since the server started: {jobs}."
    yield f"Jobs at work: {queue['at_work']}. Jobs that wait: {queue['waiting']}."
    for job in queue["yours"]:
        ahead = f", {job['ahead']} ahead" if job["ahead"] else ""
        yield f"  {job['job']}  yours, {job['stage']}{ahead}"
    disk = status["disk"]
    yield ""
    yield (
        f"Disk: clips {size(disk['clips'])}, uploads {size(disk['uploads'])}, "
        f"results {size(disk['results'])}, of {size(disk['most'])} at the most; "
        f"{size(disk['free'])} are free."
    )
    yield f"Yours of it: {size(disk['yours'])}, of {size(disk['most_yours'])} at the most."


def _lane(lane: dict) -> str:
    said = f"{lane['name']:<8} ({', '.join(lane['engines'])}): worker {lane['worker']}"
    if lane["memory"]:
        said += f", {size(lane['memory'])}"
    if device := lane["device"]:
        said += f", on the {device['name']}"
        if "memory_used" in device and "memory" in device:
            said += f" ({size(device['memory_used'])} of {size(device['memory'])} in use)"
    if lane["restarts"]:
        said += f", restarted {counted(lane['restarts'], 'time')}"
    if lane["at_work"]:
        said += f"; at work: {lane['doing'] or ('rendering' if lane['steps'] else 'starting')}"
        if lane["steps"]:
            said += f" {100 * lane['step'] // lane['steps']} %"
        if lane["seconds_left"] is not None:
            said += f", {timedelta(seconds=round(lane['seconds_left']))} left"
    if lane["waiting"]:
        said += f"; {counted(lane['waiting'], 'job')} waiting"
    return f"{said}. {lane['trouble']}".strip()
