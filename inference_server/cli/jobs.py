"""``recam jobs`` and ``recam cancel``."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator

from shared.client.client import Client
from shared.protocol.kinds import printable

from . import connecting

PATIENCE = 10.0  # seconds to wait for a cancelled job's end
SHORT_ID = 8  # characters of an id, or as many as tell the listed ones apart


def add_parsers(commands) -> None:
    """Add the subcommands."""
    parser = commands.add_parser(
        "jobs",
        help="list your jobs on the server",
        description="Your newest jobs on the server, up to a hundred, the newest first: what "
        "begins its id, when it was sent, where it stands, the clip's name.",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--long", action="store_true", help="whole ids, years, engines")
    form.add_argument("--json", action="store_true", help="as JSON, for programs")
    connecting.add_arguments(parser)
    parser.set_defaults(run=run_jobs)

    parser = commands.add_parser("cancel", help="cancel a job")
    parser.add_argument("job", help="the job's id, or what it begins with (see `recam jobs`)")
    connecting.add_arguments(parser)
    parser.set_defaults(run=run_cancel)


def run_jobs(options: argparse.Namespace) -> int:
    """One line for each job, newest first."""
    with Client(options.server, options.server_key) as client:
        jobs = client.jobs()
    if options.json:
        print(json.dumps(jobs, indent=1))
    elif not jobs:
        print("No jobs.")
    else:
        for line in _long(jobs) if options.long else _short(jobs):
            print(printable(line))
    return 0


def run_cancel(options: argparse.Namespace) -> int:
    """Cancel one job, wait a little for its end, and say where it stands then."""
    with Client(options.server, options.server_key) as client:
        job = client.cancel(connecting.find_job(client, options.job))
        deadline = time.monotonic() + PATIENCE
        while job["stage"] == "cancelling" and time.monotonic() < deadline:
            time.sleep(0.1)
            job = client.cancel(job["job"])
    if job["stage"] == "cancelling":  # it is on the server's disk: nobody need wait for it
        print("The job is being cancelled: its engine ends what it is at.")
    else:
        print(f"The job is {job['stage']}.")
    return 0


def _short(jobs: list[dict]) -> Iterator[str]:
    """Lines that fit the terminal; behind a pipe names are not cut."""
    ids = [job["job"] for job in jobs]
    digits = SHORT_ID
    while len({each[:digits] for each in ids}) < len(ids):
        digits += 1
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    width = max(len(_where(job)) for job in jobs)
    for job in jobs:
        when = time.strftime("%m-%d %H:%M", time.localtime(job["accepted"]))
        yield f"{job['job'][:digits]}  {when}  {_where(job):<{width}}  {job['name']}"[:columns]


def _long(jobs: list[dict]) -> Iterator[str]:
    for job in jobs:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job["accepted"]))
        yield f"{job['job']}  {when}  {_where(job):<24}  {job['engine']:<11}  {job['name']}"


def _where(job: dict) -> str:
    if job["stage"] == "rendering" and (job["doing"] or job["steps"]):
        share = f" {100 * job['step'] // job['steps']} %" if job["steps"] else ""
        return f"{job['doing'] or 'rendering'}{share}"
    if job["stage"] == "queued" and job["ahead"]:
        return f"queued, {job['ahead']} ahead"
    return f"failed ({job['error']['code']})" if job["error"] else job["stage"]
