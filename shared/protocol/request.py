"""One request to re-shoot a clip, as it travels and as the journal keeps it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field

from ..cameras.recam_json import shot_from_json, shot_to_json
from ..cameras.trajectory import Shot
from ..errors import RecamError
from .messages import (
    bad,
    check_digest,
    identifier,
    parse_json,
    require,
    scalar_settings,
    text,
    whole,
)

MOST_PARTS = 10_000


def new_id() -> str:
    """A fresh job or upload id: 32 hexadecimal digits, chosen by the client."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class JobRequest:
    """What a client asks for.

    shot: the cameras; its trajectory has one pose for each of the clip's frames.
    parts: SHA-256 of the files that make the clip, played one after the other.
    first: in point, frames into the clip.
    name: what the artist calls the clip; used in sentences, never as a path.
    depth: SHA-256 of a depth file, or None.
    start: SHA-256 of a video to start from, frame for frame, or None.
    audio: whether the clip's sound goes into the result.
    untagged_matrix: how the client shows a clip whose file does not tell its colour matrix: 1 for
        BT.709, 6 for BT.601 (H.273); None leaves it to the server, which goes by the size.
    settings: the engine's own.
    """

    shot: Shot
    parts: tuple[str, ...]
    first: int = 0
    name: str = "clip"
    engine: str = "auto"
    depth: str | None = None
    start: str | None = None
    audio: bool = True
    untagged_matrix: int | None = None
    settings: dict = field(default_factory=dict)
    job: str = field(default_factory=new_id)

    @property
    def frames(self) -> int:
        """How many frames of the clip are asked for."""
        return len(self.shot.trajectory)

    def to_body(self) -> dict:
        """The body of ``job.submit``; the shot travels apart, as ``shot_data``."""
        return {
            "job": self.job,
            "engine": self.engine,
            "name": self.name,
            "parts": list(self.parts),
            "first": self.first,
            "depth": self.depth,
            "start": self.start,
            "audio": self.audio,
            "untagged_matrix": self.untagged_matrix,
            "settings": self.settings,
        }

    def shot_data(self) -> bytes:
        """The data frame of ``job.submit``: the shot in Recam's own JSON."""
        return json.dumps(shot_to_json(self.shot), allow_nan=False).encode()

    @classmethod
    def from_message(cls, body: dict, data: bytes) -> JobRequest:
        """The request in a ``job.submit``, or RecamError saying what is wrong with it."""
        parts = require(body, "parts", list)
        if not 1 <= len(parts) <= MOST_PARTS:
            raise bad(f"names {len(parts)} parts; a clip has 1 to {MOST_PARTS}")
        matrix = body.get("untagged_matrix")
        if matrix not in (None, 1, 6):
            raise bad("has an untagged_matrix that is neither null, 1 nor 6")
        return cls(
            shot=shot_from_json(parse_json(bytes(data), "shot")),
            parts=tuple(check_digest(part, "part") for part in parts),
            first=whole(body, "first"),
            name=text(body, "name"),
            engine=text(body, "engine", 40),
            depth=_digest_or_none(body, "depth"),
            start=_digest_or_none(body, "start"),
            audio=require(body, "audio", bool),
            untagged_matrix=matrix,
            settings=scalar_settings(body, "settings"),
            job=identifier(body, "job"),
        )


def _digest_or_none(body: dict, name: str) -> str | None:
    value = body.get(name)
    return None if value is None else check_digest(value, name)


def no_such_job(job: str) -> RecamError:
    """The same words whether the job never was or is another's: neither is told apart."""
    return RecamError(
        "no_such_job", f"The server has no job {job} of yours.", "`recam jobs` lists yours."
    )
