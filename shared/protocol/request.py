"""One request to re-shoot a clip, as it travels and as the journal keeps it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field

from ..cameras.recam_json import shot_to_json
from ..cameras.trajectory import Shot
from ..errors import RecamError
from .kinds import one_line
from .limits import MOST_FRAMES, SHOT_BYTES
from .shot_text import read_shot


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
    delete_on_delivery: whether the server deletes takes and clips once the client has them all.
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
    delete_on_delivery: bool = False
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
            "name": one_line(self.name),
            "parts": list(self.parts),
            "first": self.first,
            "depth": self.depth,
            "start": self.start,
            "audio": self.audio,
            "untagged_matrix": self.untagged_matrix,
            "settings": self.settings,
            "delete_on_delivery": self.delete_on_delivery,
        }

    def shot_data(self) -> bytes:
        """The shot in Recam's own JSON: the data frame of ``job.submit``, or a file's content.

        RecamError ``shot_size`` where it is more than a server takes.
        """
        if self.frames <= MOST_FRAMES:
            shot = shot_to_json(self.shot)
            data = json.dumps(shot, allow_nan=False, separators=(",", ":")).encode()
            if len(data) <= SHOT_BYTES:
                return data
        raise RecamError(
            "shot_size",
            f"A shot of {self.frames} frames is too long for one job.",
            "Send the clip in parts.",
        )

    @classmethod
    def from_message(cls, body: dict, data: bytes) -> JobRequest:
        """The request in a ``job.submit`` whose body is as specified.

        Raises RecamError as ``read_shot`` does.
        """
        return cls(**{**body, "parts": tuple(body["parts"])}, shot=read_shot(bytes(data)))


def no_such_job(job: str) -> RecamError:
    """The same words whether the job never was or is another's: neither is told apart."""
    return RecamError(
        "no_such_job", f"The server has no job {job} of yours.", "`recam jobs` lists yours."
    )
