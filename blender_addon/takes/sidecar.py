"""The file beside a take: its camera in Recam's own format, and what made it. No Blender."""

from __future__ import annotations

from pathlib import Path

from ..shared.cameras.json_file import load_json
from ..shared.cameras.recam_json import shot_from_json, write_shot
from ..shared.cameras.trajectory import Shot
from ..shared.errors import RecamError


def sidecar_of(take: Path) -> Path:
    """Where the sidecar of a take's file lies: shot_take_001.mp4 has shot_take_001.json."""
    return take.with_suffix(".json")


def write_sidecar(take: Path, shot: Shot, record: dict) -> None:
    """Document the take's file. Raises RecamError ``camera_file``.

    shot: the cameras that made it, one pose for each of the file's frames. record: job, engine,
    settings, report, clip, content_size, blend; for ``json.dumps``.
    """
    write_shot(sidecar_of(take), shot, record)


def read_sidecar(take: Path) -> tuple[Shot, dict]:
    """The take's cameras and its record.

    Raises RecamError ``take_sidecar`` where there is none, and as ``recam_json.read_shot`` does.
    """
    path = sidecar_of(take)
    if not path.is_file():
        raise RecamError(
            "take_sidecar",
            f"The file that holds the take's camera is missing: {path}",
            "Put it back beside the take, or make the take again.",
        )
    return shot_from_json(load_json(path)), _record(path)


def read_record(take: Path) -> dict:
    """What the sidecar tells of the take; empty where there is none that Recam wrote."""
    try:
        return _record(sidecar_of(take))
    except RecamError:
        return {}


def _record(path: Path) -> dict:
    data = load_json(path)
    record = data.get("take") if isinstance(data, dict) else None
    return record if isinstance(record, dict) else {}
