"""One clip re-shot, from files to files: decode, engine, encode. What the worker does."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from shared.cameras.trajectory import Shot
from shared.errors import RecamError
from shared.takes import take_path

from .engines import paces
from .engines.base import Cancelled, MakePicture, OnProgress, Rendering
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
    releases: Path | None = None,
    first: int = 0,
    depth: Path | None = None,
    start: Path | None = None,
    audio: bool = True,
    untagged_matrix: int | None = None,
    settings: dict | None = None,
    on_progress: OnProgress = lambda step, steps, doing="", remarks=(), picture=None: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict:
    """Re-shoot ``clips``, played one after the other; the takes go to ``out``, ``out``-2 …

    shot: one pose for each frame from ``first`` on. releases: the folder of weights. depth: a file
    of depth from the source camera. start: a video to start from, frame for frame.
    untagged_matrix: see ``JobRequest``. settings: the engine's own; those that it does not know
    are left out, which a remark says. Memory does not grow with the clip's length.

    Returns the result as docs/protocol.md has it. Raises RecamError for a clip, a shot or
    settings that cannot be done, Cancelled when told to stop; none of the takes then exists.
    """
    began = time.monotonic()
    on_progress(0, 0, "starting")  # the first job waits for PyTorch
    renderer = load(engine, releases)
    trajectory = shot.trajectory

    def heed() -> None:
        """Files that are long are read for minutes before there is a frame."""
        if should_stop():
            raise Cancelled

    clip = Reader(clips, first, len(trajectory), untagged_matrix, heed)
    settings, said = _known(settings or {}, renderer.settings, engine, start)
    settings["subject_distance"] = shot.subject_distance
    if depth:
        settings["depth"] = open_depth(depth, clip.frames)
    if start and "start_clip" in renderer.settings:
        settings["start_clip"] = _open_start(start, clip, untagged_matrix, heed)
    if shot.source_camera is None:
        said.append(
            "The camera that shot the clip is not known; it was taken to stand still "
            "at the trajectory's first pose."
        )
    on_progress(0, 0, "starting", [*clip.remarks, *said])

    far = 0, 0, ""

    def tell(
        step: int,
        steps: int,
        doing: str = "",
        remarks: Sequence[str] = (),
        picture: MakePicture | None = None,
    ) -> None:
        nonlocal far
        far = step, steps, doing
        said.extend(remarks)
        on_progress(*far, remarks, picture)

    def show(frame: np.ndarray) -> None:
        on_progress(*far, picture=lambda: frame)

    renderings = renderer.render(
        clip, shot.assumed_source_camera, trajectory, settings, tell, should_stop
    )
    takes = []
    try:
        for rendering in renderings:
            path, start_time = take_path(out, len(takes)), time.monotonic()
            takes.append(_write(rendering, path, clip, audio, show, should_stop))
            if rendering.work:
                took = time.monotonic() - start_time
                paces.learn(f"{engine} {rendering.pace}", rendering.work, took)
            said += rendering.remarks
    except BaseException:
        for number in range(len(takes)):
            take_path(out, number).unlink(missing_ok=True)
        raise
    return {
        "takes": takes,
        "rate": str(clip.rate),
        "remarks": list(dict.fromkeys([*clip.remarks, *said])),
        "seconds": round(time.monotonic() - began, 3),
    }


def _known(settings: dict, names, engine: str, start: Path | None) -> tuple[dict, list[str]]:
    """The settings that the engine knows, and a remark on those that it does not."""
    given = [*settings, *(["start"] if start and "start" not in settings else [])]
    if not (unknown := [name for name in given if name not in names]):
        return dict(settings), []
    said = f"The {engine} engine does not know {', '.join(unknown)}; it went without."
    return {name: value for name, value in settings.items() if name in names}, [said]


def _open_start(
    start: Path, clip: Reader, untagged_matrix: int | None, heed: Callable[[], None]
) -> Reader:
    """The video to start from, one frame for each of the clip's.

    Raises RecamError ``start_clip`` if its length or its shape is another.
    """
    whole = Reader(start, untagged_matrix=untagged_matrix, on_packet=heed)
    if abs(whole.frames - clip.frames) > max(2, 0.02 * clip.frames):
        raise RecamError(
            "start_clip",
            f"The video to start from has {whole.frames} frames, the clip {clip.frames}.",
            "Give a take of the same frames of the clip.",
        )
    # A take of odd size has gained a row or a column: no more than that may differ.
    shape = abs(whole.width * clip.height - clip.width * whole.height)
    if shape > whole.width + whole.height:
        raise RecamError(
            "start_clip",
            f"The video to start from is {whole.width}x{whole.height}, the clip "
            f"{clip.width}x{clip.height}: another shape.",
            "Give a take of the same clip, of any size.",
        )
    return Reader(start, 0, clip.frames, untagged_matrix, heed)


def _write(rendering: Rendering, path: Path, clip: Reader, audio: bool, show, should_stop) -> dict:
    """Write one take, each frame shown; what the result says of it."""
    writer = Writer(
        path,
        rendering.width,
        rendering.height,
        clip.rate,
        colour=clip.colour,
        sample_aspect=clip.sample_aspect,
        audio=clip.audio_parts() if audio else (),
    )
    with writer:
        for frame in rendering.frames:
            writer.write(frame)
            show(frame)
            if should_stop():
                raise Cancelled
    width, height = writer.coded_size
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "size": path.stat().st_size,
        "sha256": digest,
        "width": width,
        "height": height,
        "content_size": list(writer.content_size),
        "frames": writer.frames,
        "report": rendering.report,
    }
