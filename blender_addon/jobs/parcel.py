"""What a job is made of and what placing its takes needs, also as the plain values of a record."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path

import bpy

from ..clip.layout import Rect
from ..clip.plate import Plate
from ..clip.strips import StripMark
from ..shared.cameras.recam_json import shot_from_json, shot_to_json
from ..shared.protocol.request import JobRequest
from . import belonging
from .records import Record


@dataclass(frozen=True)
class Parcel:
    """request: with the job's id. depth: a file for the request's own of that name, or None."""

    request: JobRequest
    plate: Plate
    depth: Path | None = None


def to_record(parcel: Parcel, address: str, server_key: str, work: Path) -> Record:
    """The parcel as a record of a job of the .blend that is open; that gets its ids.

    work: the folder in which a rendered plate and the depth lie.
    """
    request, plate, marked = parcel.request, parcel.plate, parcel.plate.strip
    return Record(
        job=request.job,
        address=address,
        server_key=server_key,
        name=request.name,
        blend=bpy.data.filepath,
        file=belonging.file_id(),
        work="" if plate.original and not parcel.depth else str(work),
        strip=strip_values(marked, request.job),
        plate={
            **asdict(replace(plate, strip=None)),
            "parts": [str(part) for part in plate.parts],
            "rate": str(plate.rate),
        },
        request={
            "body": request.to_body(),
            "shot": shot_to_json(request.shot),
            "depth": str(parcel.depth) if parcel.depth else None,
        },
    )


def strip_values(marked: StripMark, wanted_id: str) -> dict:
    """What a strip is found by after a reload; it gets ``wanted_id`` if it has no id."""
    scenes = [scene.name for scene in bpy.data.scenes if scene.session_uid == marked.scene]
    return {
        "id": belonging.strip_id(marked, wanted_id),
        "scene": scenes[0] if scenes else "",
        "name": marked.name,
        "file": str(marked.file),
        "content_start": marked.content_start,
        "first": marked.first,
    }


def from_record(record: Record, marked: StripMark) -> Parcel:
    """The parcel again, for the strip that its job turned out to be of.

    Raises RecamError as ``shot_from_json`` does.
    """
    plate, request = record.plate, record.request
    return Parcel(
        request=JobRequest(
            shot=shot_from_json(request["shot"]), **{**request["body"], "parts": ()}
        ),
        plate=Plate(
            **{
                **plate,
                "parts": [Path(part) for part in plate["parts"]],
                "rate": Fraction(plate["rate"]),
                "rect": Rect(**plate["rect"]),
                "handles": tuple(plate["handles"]),
                "strip": marked,
            }
        ),
        depth=Path(request["depth"]) if request["depth"] else None,
    )
