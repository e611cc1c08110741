"""What is asked of the ReCamMaster engine on the command line; see docs/settings.md."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.errors import RecamError

from ..engines.recammaster.settings import NAMES, about, parse
from ..engines.registry import check_settings

# The common settings have flags of their own.
FLAGS = {
    "--prompt": "prompt",
    "--negative": "negative_prompt",
    "--takes": "takes",
    "--seed": "seed",
    "--quality": "quality",
    "--framing": "framing",
    "--steps": "steps",
    "--guidance": "guidance",
    "--strength": "denoising_strength",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags, and ``--set`` for all else."""
    group = parser.add_argument_group("ReCamMaster")
    for flag, name in FLAGS.items():
        group.add_argument(flag, dest=name, metavar=flag[2:].upper(), help=about(name))
    group.add_argument(
        "--start", metavar="FILE|projection", help="begin with a former take, or with a projection"
    )
    group.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=f"any setting by its name: {', '.join(NAMES)} (docs/settings.md)",
    )


def settings_of(options: argparse.Namespace) -> tuple[dict, Path | None]:
    """The settings that were asked for, and the video to start from.

    Raises RecamError ``setting``.
    """
    texts = {name: getattr(options, name) for name in FLAGS.values()}
    for assignment in options.set:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise RecamError(
                "setting", f"--set {assignment} sets nothing.", "Say NAME=VALUE, such as shift=8."
            )
        texts[name.strip()] = text
    settings = {name: parse(name, text) for name, text in texts.items() if text is not None}
    start = None
    if options.start == "projection":
        settings["start"] = "projection"
    elif options.start:
        start = Path(options.start)
    check_settings(settings, start)
    return settings, start
