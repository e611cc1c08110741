"""Recam's own camera file, and the same on the wire; specified in docs/trajectory.md."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np

from ..errors import RecamError
from .json_file import load_json, save_json
from .trajectory import Shot, Trajectory, check_frames

FORMAT = "recam-shot"
VERSION = 1
AXES = "x right, y down, z forward"
UNITS = "metres"


def write_shot(path: str | Path, shot: Shot, take: dict | None = None) -> None:
    """Write a camera file, one pose per line. Raises RecamError ``camera_file``.

    take: what documents the take that was made with it, for ``json.dumps``; readers pass over it.
    """
    data = shot_to_json(shot) | ({"take": take} if take else {})
    # The poses stand where a hand finds them: a line each, inside an otherwise indented file.
    text = json.dumps(data, indent=1)
    row = re.compile(r"\[\s+([-+.\w]+(?:,\s+[-+.\w]+)*)\s+\]")
    save_json(path, row.sub(lambda m: f"[{' '.join(m[1].split())}]", text) + "\n")


def read_shot(path: str | Path) -> Shot:
    """Read a camera file. Raises RecamError ``camera_file`` or what ``shot_from_json`` does."""
    return shot_from_json(load_json(path))


def shot_to_json(shot: Shot) -> dict:
    """A dict for ``json.dumps``, exact to the last bit."""
    source = shot.source_camera
    return {
        "format": FORMAT,
        "version": VERSION,
        "axes": AXES,
        "units": UNITS,
        "rate": str(shot.trajectory.rate),
        "subject_distance": float(shot.subject_distance),
        "trajectory": _camera_to_json(shot.trajectory),
        "source_camera": None if source is None else _camera_to_json(source),
    }


def shot_from_json(data: object) -> Shot:
    """The Shot in what ``json.loads`` gave; poses and lenses may be arrays, a row for each frame.

    Raises RecamError: ``camera_format`` (a field missing, unknown or of the wrong type),
    ``camera_version``, ``camera_frames``, ``camera_pose`` and ``camera_lens`` naming the frame,
    ``camera_rate``, ``camera_source``, ``subject_distance``.
    """
    # The version comes before the fields: another version may well have others.
    _check_needed(data, "The camera file", {"format", "version"})
    if data["format"] != FORMAT:
        raise _malformed(f"The format is {_short(data['format'])} instead of {FORMAT!r}.")
    if type(data["version"]) is not int or data["version"] != VERSION:
        raise RecamError(
            "camera_version",
            f"This camera has the version {_short(data['version'])}; "
            f"this Recam reads version {VERSION}.",
            "Use the same version of Recam on both sides.",
        )
    needed = {"format", "version", "axes", "units", "rate", "trajectory"}
    _check_needed(data, "The camera file", needed)
    _check_known(data, "The camera file", needed | {"subject_distance", "source_camera", "take"})
    for field, only in (("axes", AXES), ("units", UNITS)):
        if data[field] != only:
            raise _malformed(f"The {field} are {_short(data[field])} instead of {only!r}.")

    rate = read_rate(data["rate"])
    distance = data.get("subject_distance", 4.0)
    if type(distance) not in (int, float):
        raise _malformed(f"The subject_distance is {_short(distance)} instead of a number.")
    trajectory = _camera_from_json(data["trajectory"], rate, "trajectory")
    source = data.get("source_camera")
    if source is not None:
        source = _camera_from_json(source, rate, "source camera")
    try:
        return Shot(trajectory, source, float(distance))
    except OverflowError as error:
        raise _malformed("The subject_distance is too large.") from error


def _camera_to_json(camera: Trajectory) -> dict:
    lenses = camera.lenses
    return {
        "lenses": (lenses[:1] if (lenses == lenses[0]).all() else lenses).tolist(),
        "poses": camera.poses[:, :3].reshape(-1, 12).tolist(),
    }


def _camera_from_json(data: object, rate: Fraction, name: str) -> Trajectory:
    try:
        _check_needed(data, "The camera", {"lenses", "poses"})
        _check_known(data, "The camera", {"lenses", "poses"})
        poses, lenses = _rows(data["poses"], "poses"), _rows(data["lenses"], "lenses")
        if isinstance(poses, list):
            for frame, pose in enumerate(poses):
                if pose is not None:
                    check_pose(pose, frame)
        if isinstance(lenses, list):
            for frame, lens in enumerate(lenses):
                check_lens(lens, frame)
        if len(lenses) == 1:
            lenses = lenses[0]
        return Trajectory(_matrices(poses), lenses, rate)
    except RecamError as error:
        raise RecamError(error.code, f"In the {name}: {error.sentence}", error.hint) from error


def check_pose(pose: object, frame: int) -> None:
    """RecamError ``camera_pose`` unless it is a list of 12 numbers within a float's bounds."""
    if not _numbers(pose, 12):
        raise RecamError(
            "camera_pose",
            f"The camera's pose at frame {frame} is not a list of 12 numbers.",
            "Give the first three rows of the 4x4 matrix, row after row.",
        )


def check_lens(lens: object, frame: int) -> None:
    """RecamError ``camera_lens`` unless it is a list of 4 numbers."""
    if not _numbers(lens, 4):
        raise RecamError(
            "camera_lens",
            f"The camera's lens at frame {frame} is not a list of 4 numbers.",
            "A lens is (fx/width, fy/height, cx/width, cy/height).",
        )


def _matrices(poses: np.ndarray | list) -> np.ndarray | list:
    """``(F, 4, 4)``; a list where a pose is missing or beyond any float, for its frame to be said.

    Lists within lists take ten times the memory.
    """
    last = [0, 0, 0, 1]
    try:
        rows = np.array(poses, dtype=np.float64).reshape(-1, 3, 4)
    except (TypeError, ValueError, OverflowError):
        return [p and [p[0:4], p[4:8], p[8:12], last] for p in poses]
    return np.concatenate([rows, np.broadcast_to(np.float64(last), (len(rows), 1, 4))], axis=1)


def _rows(rows: object, field: str) -> list | np.ndarray:
    if not isinstance(rows, list | np.ndarray):
        raise _malformed(
            f"The {field} are {_short(rows)} instead of a list with one entry per frame."
        )
    check_frames(len(rows))
    return rows


def _numbers(row: object, count: int) -> bool:
    return isinstance(row, list) and len(row) == count and {*map(type, row)} <= {int, float}


def read_rate(text: object) -> Fraction:
    """Frames a second, written ``25`` or ``24000/1001``; else RecamError ``camera_rate``."""
    # Spelled out, because Fraction would also work its way through "1e999999999".
    found = isinstance(text, str) and re.fullmatch(r"([0-9]{1,15})(?:/([0-9]{1,15}))?", text)
    if not found or int(found[2] or 1) == 0:
        raise RecamError(
            "camera_rate",
            f"The rate {_short(text)} is not a frame rate.",
            'Write frames per second in quotes, such as "25" or "24000/1001".',
        )
    return Fraction(int(found[1]), int(found[2] or 1))


def _check_needed(data: object, what: str, needed: set[str]) -> None:
    if not isinstance(data, dict):
        raise _malformed(f"{what} is {_short(data)} instead of an object with fields.")
    if missing := sorted(needed - data.keys()):
        raise _malformed(f"{what} lacks the field {missing[0]!r}.")


def _check_known(data: dict, what: str, known: set[str]) -> None:
    if unknown := sorted(data.keys() - known):
        raise _malformed(f"{what} has an unknown field {_short(unknown[0])}.")


def _malformed(sentence: str) -> RecamError:
    return RecamError("camera_format", sentence, "docs/trajectory.md describes the camera file.")


def _short(value: object) -> str:
    """A value for a sentence, however long or deep it is."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else text[:40] + "…"
