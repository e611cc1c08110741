"""One clip re-shot, from files to a file: decode, engine, encode. What the worker does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from shared.cameras.trajectory import Shot

from .engines.base import Cancelled
from .engines.projection import open_depth
from .engines.registry import load
from .video.reader import Reader
from .video.writer import Writer


def reshoot(
    clips: list[Path],
    shot: Shot,
    out: Path,
    *,
    engine: str = "projection",
    first: int = 0,
    depth: Path | None = None,
    audio: bool = True,
    untagged_matrix: int | None = None,
    settings: dict | None = None,
    on_progress: Callable[[int, int], None] = lambda step, steps: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict:
    """Re-shoot ``clips``, played one after the other, and write the take to ``out``.

    shot: one pose for each frame from ``first`` on. depth: a file of depth from the source
    camera. untagged_matrix: see ``JobRequest``. settings: the engine's own. on_progress: the
    engine's steps, of all. Memory does not grow with the clip's length.

    Returns the result as docs/protocol.md has it. Raises RecamError for a clip, a shot or
    settings that cannot be done, Cancelled when told to stop; ``out`` then does not exist.
    """
    started = time.monotonic()
    trajectory = shot.trajectory
    clip = Reader(clips, first, len(trajectory), untagged_matrix)
    settings = dict(settings or {}, subject_distance=shot.subject_distance)
    if depth:
        settings["depth"] = open_depth(depth, clip.frames)
    rendering = load(engine).render(
        clip, shot.assumed_source_camera, trajectory, settings, on_progress, should_stop
    )
    sound = clip.audio_parts() if audio else ()
    writer = Writer(
        out,
        rendering.width,
        rendering.height,
        clip.rate,
        colour=clip.colour,
        sample_aspect=clip.sample_aspect,
        audio=sound,
    )
    with writer:
        for frame in rendering.frames:
            writer.write(frame)
            if should_stop():
                raise Cancelled
    remarks = list(clip.remarks)
    if shot.source_camera is None:
        remarks.append(
            "The camera that shot the clip is not known; it was taken to stand still "
            "at the trajectory's first pose."
        )
    if unseen := rendering.report.get("unseen_share"):
        remarks.append(
            f"The source camera never saw {unseen:.1%} of the take; it is filled with a blur."
        )
    width, height = writer.coded_size
    with out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "size": out.stat().st_size,
        "sha256": digest,
        "width": width,
        "height": height,
        "content_size": list(writer.content_size),
        "frames": writer.frames,
        "rate": str(clip.rate),
        "report": rendering.report,
        "remarks": remarks,
        "seconds": round(time.monotonic() - started, 3),
    }
