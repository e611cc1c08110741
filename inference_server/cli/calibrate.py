"""``recam calibrate``: what fast quality may leave out, found with a clip of yours."""

from __future__ import annotations

import argparse
from pathlib import Path

from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import make_move
from shared.cameras.trajectory import Trajectory

from ..releases.layout import default_releases
from .packages import model_packages


def add_parsers(commands) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("calibrate", help="find out how fast the fast quality may be")
    parser.add_argument("clip", type=Path, help="a clip like those you work on")
    parser.add_argument("--frames", type=int, default=81, help="of the clip, from its first")
    parser.add_argument("--preset", default="arc_right", help="the camera's path")
    parser.add_argument("--psnr", type=float, default=30.0, help="least likeness, in decibels")
    parser.add_argument("--release", default="", help="which weights, by name")
    parser.add_argument(
        "--releases", type=Path, default=default_releases(), help="folder of weights"
    )
    parser.add_argument("--prompt", default="", help="what the clip shows")
    parser.add_argument("--steps", type=int, default=50, help="of the exact take")
    parser.add_argument("--size", default="auto", help="that the model renders at")
    parser.add_argument("--device", default="auto", help="cuda, cuda:1, mps, cpu")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Try them all, print each, keep the best; the exit status is 1 if none is good enough."""
    with model_packages():
        from ..engines.recammaster import calibrate, shortcuts
        from ..engines.recammaster.engine import ReCamMasterEngine
        from ..engines.recammaster.settings import Settings
        from ..video.reader import Reader
    clip = Reader(options.clip)
    clip = Reader(options.clip, 0, min(clip.frames, options.frames))
    lens = lens_from_focal(35.0, 36.0, clip.width / clip.height)
    path = make_move(options.preset, clip.frames, clip.rate, lens)
    source = Trajectory.standing(path.poses[0], lens, clip.rate, clip.frames)
    settings = Settings.of(
        {
            "prompt": options.prompt,
            "steps": options.steps,
            "size": options.size,
            "release": options.release,
            "cuts": "ignore",
        }
    )
    engine = ReCamMasterEngine(options.releases, options.device)
    done = []
    for trial in calibrate.trials(engine, clip, source, path, settings):
        done.append(trial)
        named = trial.shortcuts or f"exact, {options.steps} steps"
        likeness = "" if trial.shortcuts is None else f"{trial.psnr:6.2f} dB"
        share = trial.seconds / done[0].seconds
        print(f"{named!s:<50} {trial.seconds:8.1f} s  {100 * share:4.0f} %  {likeness}", flush=True)
    found = calibrate.best(done, options.psnr)
    if found is None:
        print(f"None is quicker and within {options.psnr:g} dB: fast quality stays off.")
        return 1
    measured = {"psnr": round(found.psnr, 2), "share_of_time": found.seconds / done[0].seconds}
    file = shortcuts.keep(engine.release(options.release), found.shortcuts, measured)
    print(f"Fast quality is now {found.shortcuts}, kept in {file}.")
    return 0
