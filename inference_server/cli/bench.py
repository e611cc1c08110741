"""``recam bench``: what a take costs on this machine's card."""

from __future__ import annotations

import argparse
import re

from shared.errors import RecamError

from ..engines import paces
from .packages import model_packages


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("bench", help="measure the model on this machine's card")
    parser.add_argument(
        "--size", default="480x832x81", help="height x width x frames (default 480x832x81)"
    )
    parser.add_argument(
        "--random-weights",
        action="store_true",
        required=True,
        help="weights of the public size, made up: nothing need be installed",
    )
    parser.add_argument(
        "--mode",
        default="resident",
        choices=("resident", "offload", "streamed"),
        help="where the model's weights lie: on the card, or beside it (docs/recammaster.md)",
    )
    parser.add_argument(
        "--steps", type=int, default=5, help="steps to measure, after one to warm up"
    )
    parser.add_argument("--device", default="auto", help="cuda, cuda:1, mps, cpu")
    parser.add_argument(
        "--operations", action="store_true", help="only count operations, saving by saving"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the figures."""
    match = re.fullmatch(r"(\d+)x(\d+)x(\d+)", options.size)
    height, width, frames = map(int, match.groups()) if match else (0, 0, 0)
    if not (height and width and frames) or height % 16 or width % 16:
        raise RecamError(
            "size", f"{options.size} is no size.", "Give 480x832x81: multiples of 16, then frames."
        )
    with model_packages():
        from ..engines.recammaster import bench
        from ..engines.recammaster.device import pick_device, pick_dtype
        from ..engines.recammaster.reckoning import pace_of

    if options.operations:
        first = None
        for name, count in bench.operations(bench.FULL, height, width):
            first = first or count
            print(f"{name:<44} {count:.6e}  {count / first:.4f}")
        return 0
    import torch

    device = pick_device(options.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
    print(
        f"{width} x {height}, {frames} frames, {options.mode}, on {name}, "
        f"PyTorch {torch.__version__}, random weights of the public size"
    )
    networks = bench.random_networks(device, pick_dtype(device))
    networks.mode = options.mode
    figures = bench.measure(networks, height, width, frames, max(1, options.steps))
    for line in bench.lines(figures, name, 50):
        print(line)
    pace = f"recammaster {pace_of(device, networks.mode, 0)}"
    paces.learn(pace, options.steps * figures.operations, options.steps * figures.seconds_step)
    print("`recam serve` goes by this pace from now on, until jobs have shown their own.")
    return 0
