"""A JSON file in and out, with a sentence for whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import RecamError

# Two cameras of MAX_FRAMES frames, generously printed.
MAX_BYTES = 2**30


def load_json(path: str | Path) -> object:
    """What the JSON file holds, or RecamError ``camera_file``."""
    path = Path(path)
    try:
        if path.is_dir():
            raise _unreadable(path, "is a folder")
        if not path.is_file():
            raise _unreadable(path, "is not there, or is not a plain file")
        if path.stat().st_size > MAX_BYTES:
            raise _unreadable(path, "is larger than 1 GiB")
        return json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise _unreadable(path, f"cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, "is not JSON") from error


def save_json(path: str | Path, text: str) -> None:
    """Write ``text``, or RecamError ``camera_file``."""
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise RecamError(
            "camera_file",
            f"The camera file {path} cannot be written ({error.strerror}).",
            "Choose a place that you may write to.",
        ) from error


def _unreadable(path: Path, why: str) -> RecamError:
    return RecamError(
        "camera_file",
        f"The camera file {path} {why}.",
        "Give a camera file of Recam's, or a camera_extrinsics.json.",
    )
