"""What a job would take, planned as the engine plans it, but without networks and clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from inference_server.releases.choice import choose_release
from inference_server.releases.layout import fingerprint
from shared.cameras.lens import lens_from_focal
from shared.cameras.trajectory import Trajectory

from ..base import Question, Reckoning
from .counting import counted_apart
from .device import device_name, pick_device, pick_dtype
from .job import plan_job
from .memory import available_bytes, choose_mode
from .reckoning import operations_of, pace_of, size_of, slowness, with_cache
from .settings import Settings
from .shortcuts import calibrated


def reckon(releases: Path, question: Question) -> Reckoning:
    """See ``engines.estimate``. Cuts, which only the clip tells, are taken to be none.

    RecamError as the engine itself would raise it for this size, these settings and the weights
    that are there; ``estimate_failed`` where nothing can be counted.
    """
    clip = _Unseen(question.width, question.height, question.frames, question.rate)
    along = {"start_clip": clip} if question.start else {}
    wanted = Settings.of({**question.settings, **along, "cuts": "ignore"})
    release, cache = choose_release(releases, wanted.release), 0.0
    if wanted.quality == "fast":
        shortcuts = calibrated(release)
        wanted, cache = shortcuts.applied(wanted), shortcuts.cache
    lens = lens_from_focal(35.0, 36.0, clip.width / clip.height)
    camera = Trajectory.standing(np.eye(4), lens, clip.rate, clip.frames)
    job = plan_job(clip, camera, camera, wanted, lambda: False)
    device = pick_device()
    counted = counted_apart(
        release.path, fingerprint(release, *release.files), size_of(job), pick_dtype(device)
    )
    needs, available = with_cache(counted, job, cache), available_bytes(device)
    # The processor's memory comes and goes with the job that is at work: it refuses nothing.
    mode = choose_mode(wanted.memory, needs, None if device.type == "cpu" else available)
    operations = operations_of(job, counted.operations)
    return Reckoning(
        pace_of(device, mode, cache),
        operations,
        device_name(device),
        needs.of(mode),
        available,
        [*job.remarks, *slowness(device, operations)],
        "; `recam bench --random-weights` measures it",
    )


@dataclass(frozen=True)
class _Unseen:
    """A clip that nobody has sent yet."""

    width: int
    height: int
    frames: int
    rate: Fraction

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(())
