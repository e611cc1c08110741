"""The cameras that a command line asks for: a file, a preset, or what a use of the model needs."""

from __future__ import annotations

import argparse
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cameras.files import read_camera
from shared.cameras.lens import lens_from_focal
from shared.cameras.moves import MOVES, Move, find_move, make_move
from shared.cameras.presets import SUBJECT_DISTANCE, distance_of
from shared.cameras.resample import over, resample
from shared.cameras.trajectory import Shot, Trajectory
from shared.cameras.uses import stabilised, zoom_in, zoom_out
from shared.errors import RecamError
from shared.words import counted

if TYPE_CHECKING:
    from ..video.probe import ClipInfo

USES = ("stabilise", "super-resolution", "outpaint")
# Of the moves, those that need no source camera; the other is the use ``stabilise``.
OFFERED = tuple(move for move in MOVES.values() if move.path)
UNITS = {"factor": "STRENGTH", "share": "METRES", "degrees": "DEGREES"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags for the shot."""
    parser.add_argument(
        "--camera",
        metavar="FILE|MOVE",
        help=f"a camera file, or one of: {', '.join(map(_usage, OFFERED))}. More about a move "
        "after a comma: orbit:30,ease_in=1,ease_out=1",
    )
    parser.add_argument("--camera-name", help="which camera of a camera_extrinsics.json")
    parser.add_argument(
        "--use",
        metavar="USE",
        help="instead of a path: stabilise[:SECONDS] (shake that takes less goes; stabilise:static "
        "stands still), super-resolution[:FACTOR] (closer), outpaint[:FACTOR] (farther); the "
        "camera file is then that of the camera that shot the clip",
    )
    parser.add_argument(
        "--stretch", action="store_true", help="spread a camera file over the whole clip"
    )
    parser.add_argument("--subject", type=float, metavar="METRES", help="distance of the subject")
    parser.add_argument(
        "--focal",
        type=float,
        default=35.0,
        metavar="MM",
        help="the lens that shot the clip, on a 36 mm wide sensor, where no camera file of "
        "Recam's tells it (default 35)",
    )


def shot_of(options: argparse.Namespace, info: ClipInfo) -> Shot:
    """The cameras for the frames that are asked for, at the clip's rate.

    Raises RecamError ``clip_range``, ``camera_missing``, ``camera_use``, and those of camera
    files, presets and uses.
    """
    if not (options.camera or options.use):
        raise RecamError(
            "camera_missing",
            "No camera was given to re-shoot the clip with.",
            "Say --camera, or --use for what needs no path.",
        )
    frames = options.frames if options.frames is not None else info.frames - options.first
    if not 0 <= options.first < info.frames:
        raise _no_range(options, info, f"there is none with number {options.first}", "--first")
    if frames < 1:
        raise _no_range(options, info, f"{frames} of them make no take", "--frames")
    if options.first + frames > info.frames:
        there = info.frames - options.first
        what = f"from number {options.first} on it has {there}, not {frames}"
        raise _no_range(options, info, what, "--first or --frames")
    shot = _shot(options, info, frames)
    return _used(options.use, shot, options) if options.use else shot


def _no_range(options: argparse.Namespace, info: ClipInfo, what: str, flags: str) -> RecamError:
    return RecamError(
        "clip_range",
        f"{options.clip.name} has {counted(info.frames, 'frame')}, the first of them number 0; "
        f"{what}.",
        f"Correct {flags}.",
    )


def _is_file(options: argparse.Namespace) -> bool:
    camera = options.camera or ""
    return Path(camera).is_file() or camera.endswith(".json")


def _shot(options: argparse.Namespace, info: ClipInfo, frames: int) -> Shot:
    lens = lens_from_focal(options.focal, 36.0, info.width / info.height)
    if _is_file(options):
        shot = read_camera(Path(options.camera), lens, options.camera_name)
        return _fit(shot, options, frames, info.rate)
    distance = SUBJECT_DISTANCE if options.subject is None else options.subject
    move = _move(options.camera or "static", frames, info.rate, lens, distance)
    return Shot(move, subject_distance=distance)


def _used(words: str, shot: Shot, options: argparse.Namespace) -> Shot:
    """The shot for a use of the model, by the camera that shot the clip."""
    use, _, amount = words.partition(":")
    if use not in USES:
        raise RecamError(
            "camera_use", f"There is no use named {use!r}.", f"Choose one of: {', '.join(USES)}."
        )
    if options.camera and not _is_file(options):
        raise RecamError(
            "camera_use",
            f"With --use {words} the camera makes its own path; {options.camera} is another.",
            "Leave --camera out, or give the file of the camera that shot the clip.",
        )
    known = shot.source_camera or (shot.trajectory if options.camera else None)
    if use == "stabilise":
        if known is None:
            raise RecamError(
                "camera_use",
                "What shook cannot be steadied without the camera that shot the clip.",
                "Give its file with --camera, such as a solve of the clip.",
            )
        path = stabilised(known, None if amount == "static" else _amount(words, amount, 1.0))
    else:
        by_source = Shot(known or shot.trajectory, known, shot.subject_distance)
        zoom = zoom_in if use == "super-resolution" else zoom_out
        path = zoom(by_source, _amount(words, amount, 1.5))
    return Shot(path, known, shot.subject_distance)


def _amount(words: str, text: str, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        raise RecamError(
            "camera_use",
            f"--use {words} has an amount that is no number.",
            "Say stabilise:0.5 (seconds), super-resolution:2 or outpaint:1.5 (factors).",
        ) from None


def _usage(move: Move) -> str:
    """How a move is asked for: ``pan_right``, ``orbit:DEGREES``."""
    return move.name + (f":{UNITS[move.parameters[0].kind]}" if _needs_amount(move) else "")


def _needs_amount(move: Move) -> bool:
    return bool(move.parameters) and move.parameters[0].kind != "factor"


def _move(words: str, frames: int, rate: Fraction, lens, distance: float) -> Trajectory:
    """The camera move that ``--camera`` names, over the whole clip.

    ``NAME[:AMOUNT][,PARAMETER=VALUE...]``: the amount is the move's first parameter. Ways are
    given in metres, whatever the subject's distance.
    """
    name, _, rest = words.partition(":")
    name, *more = name.split(",") if not rest else (name, *rest.split(","))
    try:
        move = find_move(name)
    except RecamError as error:
        there = ", ".join(map(_usage, OFFERED))
        hint = f"Give a camera file, or one of: {there}."
        raise RecamError(error.code, error.sentence, hint) from None
    if not move.path:
        raise RecamError(
            "camera_use",
            f"{name} needs the camera that shot the clip.",
            "Say --use stabilise, with its file as --camera.",
        )
    given = {}
    for part in more:
        parameter, equals, value = part.partition("=")
        if not equals and move.parameters:
            parameter, value = move.parameters[0].name, part
        try:
            given[parameter] = float(value)
        except ValueError:
            raise _no_amount(words, move) from None
    if _needs_amount(move) and move.parameters[0].name not in given:
        raise _no_amount(words, move)
    for parameter in move.parameters:
        if parameter.kind == "share" and parameter.name in given:
            given[parameter.name] /= distance_of(distance)
    return make_move(name, frames, rate, lens, subject_distance=distance, values=given)


def _no_amount(words: str, move: Move) -> RecamError:
    example = {"share": ":1.5 (metres)", "degrees": ":30 (degrees)"}
    kind = move.parameters[0].kind if move.parameters else ""
    named = ", ".join(f"{each.name}=NUMBER" for each in move.parameters)
    return RecamError(
        "camera_preset",
        f"The camera move {words!r} lacks a number.",
        f"Say {move.name}{example.get(kind, '')}"
        + (f"; what can be set after a comma is {named}." if named else "."),
    )


def _fit(shot: Shot, options: argparse.Namespace, frames: int, rate: Fraction) -> Shot:
    """The file's cameras at the clip's rate and length."""
    given = shot.trajectory
    if (len(given), given.rate) != (frames, rate):
        how = "stretched" if options.stretch else "resampled, its last pose held if need be,"
        print(
            f"Note: the camera has {len(given)} frames at {float(given.rate):g} a second; it is "
            f"{how} to the clip's {frames} at {float(rate):g}.",
            file=sys.stderr,
        )

    def fitted(camera: Trajectory) -> Trajectory:
        return over(camera, frames, rate) if options.stretch else resample(camera, rate, frames)

    return Shot(
        fitted(given),
        shot.source_camera and fitted(shot.source_camera),
        shot.subject_distance if options.subject is None else options.subject,
    )
