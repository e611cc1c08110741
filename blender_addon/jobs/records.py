"""What is kept of a job under way, so that it is taken up again after Blender was closed.

A file for each job in one folder of the user's, with a second one beside it that whoever follows
the job keeps locked: the system frees it when a Blender ends, however it ends. Without Blender.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from ..shared import claims

VERSION = 1


@dataclass(frozen=True)
class Record:
    """One job.

    job: its id on the server. address, server_key: of the server that it was sent to; an empty
    key means this user's own server. name: the strip's. blend: the .blend's path when it was last
    saved, or empty. file: what identifies that .blend wherever it lies, kept in its scenes.
    work: the folder with a rendered plate, or empty. strip, plate, request: see ``jobs.parcel``.
    takes: once they are placed, until the .blend is saved with them: see ``jobs.placing``.
    error: what RecamError was made of, once the job has failed; kept until it is dismissed.
    owed: whether all is done but to tell the server that the takes are here.
    """

    job: str
    address: str
    server_key: str
    name: str
    blend: str
    file: str
    work: str
    strip: dict
    plate: dict
    request: dict
    takes: list[dict] | None = None
    error: tuple[str, str, str] | None = None
    owed: bool = False
    made: float = field(default_factory=time.time)


def belongs(
    record: Record, blend: str, file: str, there: Callable[[str], bool] = os.path.exists
) -> bool:
    """Whether the job is one of the .blend at ``blend`` that holds the id ``file``.

    It is the file that the record names; or that file, moved or renamed since: its id is the
    same, and nothing lies at the old path. Either may be empty; an unsaved file has no jobs.
    """
    if not blend or not record.blend:
        return False
    if _same(record.blend, blend):
        return file in ("", record.file)
    return file == record.file and not there(record.blend)


def replaced(record: Record, blend: str, file: str) -> bool:
    """Whether the .blend at ``blend`` lies where the job's did, and is another."""
    return bool(record.blend and blend and file not in ("", record.file)) and _same(
        record.blend, blend
    )


def lost(record: Record, there: Callable[[str], bool] = os.path.exists) -> bool:
    """Whether no .blend can be found that the job is one of."""
    return not record.owed and (not record.blend or not there(record.blend))


def write(folder: Path, record: Record) -> None:
    """Write the record, or write it anew, all of it or nothing."""
    path = _path(folder, record.job)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"version": VERSION, **asdict(record)}), encoding="utf-8")
    draft.replace(path)


def read(folder: Path, job: str) -> Record | None:
    """The job's record; None where there is none that this version can read."""
    try:
        data = json.loads(_path(folder, job).read_text(encoding="utf-8"))
        if data.pop("version") == VERSION:
            return Record(**data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def read_all(folder: Path) -> list[Record]:
    """Every record, the oldest first."""
    found = [read(folder, path.stem) for path in folder.glob("*.json")]
    return sorted((record for record in found if record), key=lambda record: record.made)


def remove(folder: Path, job: str) -> None:
    """Forget the job; its claim must have been let go."""
    for path in (_path(folder, job), _lock_path(folder, job)):
        with contextlib.suppress(OSError):  # another Blender has it open, in Windows
            path.unlink(missing_ok=True)


def claim(folder: Path, job: str) -> IO | None:
    """Take the job for this process; None where another one has it. ``close`` lets it go."""
    try:
        return claims.claim(_lock_path(folder, job))
    except OSError:
        return None


def _path(folder: Path, job: str) -> Path:
    return folder / f"{job}.json"


def _lock_path(folder: Path, job: str) -> Path:
    return folder / f"{job}.lock"


def _same(one: str, other: str) -> bool:
    return os.path.normcase(os.path.abspath(one)) == os.path.normcase(os.path.abspath(other))
