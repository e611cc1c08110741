"""``recam verify``: whether this installation and card compute what the public code computes."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..releases.choice import choose_release
from ..releases.layout import Release, default_releases, find_release, releases_in
from .packages import model_packages

MINIATURE = Path(__file__).parent.parent / "miniature" / "release"


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "verify", help="compare this installation and card with the public code's numbers"
    )
    parser.add_argument(
        "release",
        nargs="?",
        default=str(MINIATURE),
        help="weights by name, as `recam weights list` tells it, or by folder; by default the "
        "miniature release that comes with Recam",
    )
    parser.add_argument(
        "--releases", type=Path, default=default_releases(), help="folder of weights"
    )
    parser.add_argument("--expected", type=Path, help="expected.safetensors, if it lies elsewhere")
    parser.add_argument("--device", default="auto", help="cuda, cuda:1, mps, cpu")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print each error beside its bound; the exit status is 1 if one is over."""
    release = _release(options.release, options.releases)
    with model_packages():
        from ..engines.recammaster.device import pick_device
        from ..engines.recammaster.verify import expected_beside, verify
    expected = options.expected or expected_beside(release.path)
    device = pick_device(options.device)
    print(f"{release.path} on {_named(device)}, against {expected.name}:")
    good = True
    for check in verify(release, expected, device):
        good &= check.good
        verdict = "" if check.good else "  OVER THE BOUND"
        print(f"  {check.name:<44} {check.error:10.3g}  bound {check.bound:.3g}{verdict}")
    print("All within their bounds." if good else "Not all within their bounds.")
    return 0 if good else 1


def _release(name: str, releases: Path) -> Release:
    """The installed release of that name, else the one at that path."""
    installed = name in [release.name for release in releases_in(releases)]
    if installed or not (os.path.dirname(name) or os.path.exists(name)):
        return choose_release(releases, name)
    return find_release(Path(name))


def _named(device) -> str:
    import torch

    where = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return f"{where}, PyTorch {torch.__version__}"
