"""``recam jobs`` and ``recam cancel``."""

from __future__ import annotations

import argparse
import time

from shared.client.client import Client

PATIENCE = 10.0  # seconds to wait for a cancelled job's end


def add_parsers(commands) -> None:
    """Add the subcommands."""
    parser = commands.add_parser("jobs", help="list your jobs on the server")
    parser.add_argument("--server", metavar="ADDRESS")
    parser.add_argument("--server-key", metavar="KEY")
    parser.set_defaults(run=run_jobs)

    parser = commands.add_parser("cancel", help="cancel a job")
    parser.add_argument("job", help="the job's id")
    parser.add_argument("--server", metavar="ADDRESS")
    parser.add_argument("--server-key", metavar="KEY")
    parser.set_defaults(run=run_cancel)


def run_jobs(options: argparse.Namespace) -> int:
    """One line for each job, newest first."""
    with Client(options.server, options.server_key) as client:
        jobs = client.jobs()
    for job in jobs:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job["accepted"]))
        print(f"{job['job']}  {when}  {_where(job):<24}  {job['name']}")
    if not jobs:
        print("No jobs.")
    return 0


def run_cancel(options: argparse.Namespace) -> int:
    """Cancel one job, wait a little for its end, and say where it stands then."""
    with Client(options.server, options.server_key) as client:
        job = client.cancel(options.job)
        deadline = time.monotonic() + PATIENCE
        while job["stage"] == "cancelling" and time.monotonic() < deadline:
            time.sleep(0.1)
            job = client.cancel(options.job)
    if job["stage"] == "cancelling":  # it is on the server's disk: nobody need wait for it
        print("The job is being cancelled: its engine ends what it is at.")
    else:
        print(f"The job is {job['stage']}.")
    return 0


def _where(job: dict) -> str:
    if job["stage"] == "rendering" and (job["doing"] or job["steps"]):
        share = f" {100 * job['step'] // job['steps']} %" if job["steps"] else ""
        return f"{job['doing'] or 'rendering'}{share}"
    if job["stage"] == "queued" and job["ahead"]:
        return f"queued, {job['ahead']} ahead"
    return f"failed ({job['error']['code']})" if job["error"] else job["stage"]
