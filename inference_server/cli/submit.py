"""``recam submit`` and ``recam fetch``: a clip out, its re-shot take back."""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from shared.client.client import Client
from shared.client.job import RemoteJob
from shared.errors import RecamError
from shared.protocol.request import JobRequest
from shared.takes import take_path
from shared.words import counted

from ..engines.registry import ENGINES
from . import cameras, connecting, settings
from .following import follow, say

DELIVERED_SECONDS = 10.0  # to tell the server that all is here


def add_parsers(commands) -> None:
    """Add the subcommands."""
    parser = commands.add_parser(
        "submit",
        help="re-shoot a clip",
        description="Send a clip with a camera, wait, and fetch the take. Ctrl-C cancels the job; "
        "with --detach it goes on without you.",
    )
    parser.add_argument("clip", type=Path, help="the video file")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        help="the take, an .mp4 file; further takes go beside it, numbered from -2 on",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--engine",
        default="auto",
        choices=("auto", *ENGINES),
        help="who renders (default: auto, the best that can run there)",
    )
    parser.add_argument("--first", type=int, default=0, help="in point, frames into the clip")
    parser.add_argument("--frames", type=int, help="how many frames (default: to the end)")
    parser.add_argument("--depth", type=Path, help="depth from the source camera (.safetensors)")
    parser.add_argument("--no-audio", action="store_true", help="leave the clip's sound out")
    parser.add_argument(
        "--delete-on-delivery",
        action="store_true",
        help="let the server delete clip and takes once they have been fetched",
    )
    parser.add_argument(
        "--detach",
        action="store_true",
        help="leave once it is sent; prints the job's id, for `recam fetch`",
    )
    cameras.add_arguments(parser)
    settings.add_arguments(parser)
    connecting.add_arguments(parser)
    parser.set_defaults(run=run_submit)

    parser = commands.add_parser(
        "fetch",
        help="wait for a job's result and fetch it",
        description="Wait for a job that was sent before, and fetch its take. Ctrl-C ends the "
        "waiting alone; the job goes on.",
    )
    parser.add_argument("job", help="the job's id, or what it begins with (see `recam jobs`)")
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        help="the take, an .mp4 file; further takes go beside it, numbered from -2 on",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--delete-on-delivery",
        action="store_true",
        help="let the server delete clip and takes then, whatever was said on submitting",
    )
    connecting.add_arguments(parser)
    parser.set_defaults(run=run_fetch)


def run_submit(options: argparse.Namespace) -> int:
    """Submit a clip and, unless detached, wait for its take."""
    from ..video.probe import probe  # here, so that `recam serve` loads no codec

    asked, start = settings.settings_of(options)
    for number in range(asked.get("takes", 1)):
        _check_out(take_path(options.out, number), options.overwrite)
    info = probe(options.clip)
    say(info.remarks)
    request = JobRequest(
        shot=cameras.shot_of(options, info),
        parts=(),
        first=options.first,
        name=options.clip.name[:200],
        engine=options.engine,
        audio=not options.no_audio,
        settings=asked,
        delete_on_delivery=options.delete_on_delivery,
    )
    with Client(options.server, options.server_key) as client:
        # A job that is left is fetched later, even if it ends while it is being left.
        out = None if options.detach else options.out
        job = client.shoot(request, [options.clip], out, options.depth, start)
        if options.detach:
            return _detach(job, info.remarks)
        return _see_through(client, job, options, info.remarks, ours=True)


def run_fetch(options: argparse.Namespace) -> int:
    """Take up a job again by its id."""
    _check_out(options.out, options.overwrite)
    with Client(options.server, options.server_key) as client:
        known = connecting.find_job(client, options.job)
        job = client.attach(known, options.out, options.overwrite)
        return _see_through(client, job, options)


def _detach(job: RemoteJob, said: Iterable[str]) -> int:
    state = follow(job, [*said], lambda state: state.stage in ("connecting", "uploading"))
    if state.error:
        raise state.error
    print(job.id)
    return 0


def _see_through(
    client: Client,
    job: RemoteJob,
    options: argparse.Namespace,
    said: Iterable[str] = (),
    ours: bool = False,
) -> int:
    """Follow the job to its end. ours: it was sent by this command, which Ctrl-C takes back."""
    said = [*said]
    try:
        state = follow(job, said)
    except KeyboardInterrupt:
        if not ours:
            print(
                f"The job goes on; `recam fetch {job.id} -o {shlex.quote(str(options.out))}` takes "
                f"it up again, `recam cancel {job.id}` ends it.",
                file=sys.stderr,
            )
            return 130
        job.cancel()
        state = job.wait(10)
        if state.stage == "cancelling":
            print("The job is being cancelled: its engine ends what it is at.", file=sys.stderr)
            return 130
        if state.stage != "cancelled":
            print(f"The job {job.id} could not be cancelled in time.", file=sys.stderr)
            return 130
    if state.error:
        raise state.error
    if state.stage == "cancelled":
        fetch = f"Stopped; the job is finished: `recam fetch {job.id} -o FILE` brings its take."
        print(fetch if state.result else "The job was cancelled.", file=sys.stderr)
        return 130
    for number, take in enumerate(state.result["takes"]):
        size = f"{take['width']}x{take['height']}"
        content = "x".join(map(str, take.get("content_size", ())))
        if content and content != size:
            size += f" ({content} and an edge that players need)"
        frames = counted(take["frames"], "frame")
        print(f"{take_path(options.out, number)}: {frames}, {size}")
    say(state.result["remarks"], said)
    _tell_delivered(client, job.id, options.delete_on_delivery)
    return 0


def _tell_delivered(client: Client, job: str, delete: bool) -> None:
    """Let the server delete what it was asked to delete then."""
    try:
        client.delivered(job, delete).result(DELIVERED_SECONDS)
    except (RecamError, TimeoutError):
        say(["The server does not know yet that the takes have arrived: it keeps them for now."])


def _check_out(out: Path, overwrite: bool) -> None:
    if out.suffix.lower() != ".mp4":
        raise RecamError("out_name", f"{out} is not an .mp4 file.", "Results are MP4 files.")
    if out.exists() and not overwrite:
        raise RecamError("out_exists", f"{out} exists already.", "Name another, or --overwrite.")
    try:  # now, not when the rendering is done
        out.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(out.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise RecamError(
            "out_folder",
            f"Nothing can be written to the folder {out.parent} ({error.strerror}).",
            "Choose another place with -o.",
        ) from None
