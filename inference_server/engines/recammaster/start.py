"""What denoising starts from, other than noise: a former take, or the clip's projection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from inference_server.engines.base import Clip
from inference_server.engines.projection import ProjectionEngine
from shared.cameras.trajectory import Trajectory
from shared.errors import RecamError

from .job import Job
from .picture import WHOLE, Framing


def start_of(
    clip: Clip, source_camera: Trajectory, job: Job
) -> tuple[Iterable[np.ndarray], Framing] | None:
    """Frames ``(H, W, 3)`` uint8, as many as the clip has, and how they meet the model's frame.

    None where the job starts from noise. Raises RecamError ``start_clip`` for a former take
    through a longer lens.
    """
    start = job.settings.start_clip
    if start is not None:
        if not np.allclose(job.lens.crops, WHOLE):
            raise RecamError(
                "start_clip",
                "A former take cannot be started from through a longer lens: it would be "
                "enlarged twice.",
                "Give the trajectory the clip's lens, and crop the take afterwards.",
            )
        # Its frame lies where the clip's does, whatever its own size.
        return start, replace(job.framing, clip=(start.width, start.height))
    if job.settings.start == "projection":
        return _Projected(clip, source_camera, job), job.framing
    return None


class _Projected:
    """The clip as the projection engine shows it along the job's path, through the clip's lens."""

    def __init__(self, clip: Clip, source_camera: Trajectory, job: Job) -> None:
        path = Trajectory(job.lens.poses, job.lenses, source_camera.rate)
        settings = {"subject_distance": job.settings.subject_distance}
        if job.settings.depth is not None:
            settings["depth"] = job.settings.depth
        self._given = clip, source_camera, path, settings, _untold, _never

    def __iter__(self) -> Iterator[np.ndarray]:
        return next(iter(ProjectionEngine().render(*self._given))).frames


def _untold(*_) -> None:
    """The job tells its own progress."""


def _never() -> bool:
    """The job looks itself whether it is to stop."""
    return False
