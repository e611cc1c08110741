"""One job, planned before any network is loaded: framing, lens, shots, windows, cameras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from inference_server.engines.base import Cancelled, Clip, ShouldStop
from shared.cameras.advice import far_start
from shared.cameras.trajectory import Trajectory

from .cuts import shots as find_shots
from .lens import LensPlan, plan_lens
from .picture import Framing, plan_framing
from .rates import kept_frames, rate_remark
from .settings import Settings
from .shots import window_cameras
from .windows import WINDOW, Plan, plan_windows

UNTRAINED = {
    "noise": "The model is given noise in place of the clip (text to video)",
    "first_frame": "The model is given the clip's first frame alone (image to video)",
}


@dataclass(frozen=True)
class PlannedShot:
    """A shot of the clip. first, count: its frames. kept: those the model sees, from its first.

    plan: its windows. cameras: for every window ``(1, window, 12)``.
    """

    first: int
    count: int
    kept: list[int]
    plan: Plan
    cameras: list[torch.Tensor]


@dataclass(frozen=True)
class Job:
    """What the model is to do.

    lenses: ``(F, 4)``, those that its picture shows. remarks: sentences for the artist.
    """

    settings: Settings
    framing: Framing
    lens: LensPlan
    lenses: np.ndarray
    shots: list[PlannedShot]
    remarks: list[str]

    @property
    def grid(self) -> tuple[int, int]:
        """Height and width of a latent."""
        width, height = self.framing.model
        return height // 8, width // 8

    @property
    def passes(self) -> int:
        """Windows times steps, of all takes."""
        windows = sum(len(shot.plan.windows) for shot in self.shots)
        return windows * self.settings.steps * self.settings.takes


def plan_job(
    clip: Clip,
    source_camera: Trajectory,
    trajectory: Trajectory,
    settings: Settings,
    should_stop: ShouldStop,
) -> Job:
    """The plan for ``clip``, which is read once for its cuts unless they are not looked for.

    Raises RecamError for a size, a lens or cuts that cannot be done, Cancelled when told to stop.
    """
    framing = plan_framing(
        clip.width,
        clip.height,
        settings.framing,
        settings.size,
        sample_aspect=getattr(clip, "sample_aspect", None) or 1,
        scale_up=settings.scale_up,
    )
    parts = [(0, clip.frames)]
    if settings.cuts != "ignore":
        parts = find_shots(_until(clip, should_stop), clip.rate, settings.cuts)
    # The model knows no lens: a shot's picture shows the one that its first frame was shot with.
    lenses = np.concatenate([np.repeat(source_camera.lenses[f : f + 1], n, 0) for f, n in parts])
    lens = plan_lens(
        lenses,
        trajectory.lenses,
        settings.lens,
        settings.subject_distance,
        trajectory.poses,
        source_camera.poses[0],
    )
    references = source_camera if settings.reference == "source" else trajectory
    shots = [
        _planned(first, count, references.poses, lens.poses, settings) for first, count in parts
    ]
    remarks = [*framing.remarks, *lens.remarks, *_remarks(clip, settings, shots)]
    return Job(settings, framing, lens, lenses, shots, [remark for remark in remarks if remark])


def _until(clip: Clip, should_stop: ShouldStop) -> Iterator[np.ndarray]:
    for frame in clip:
        if should_stop():
            raise Cancelled
        yield frame


def _planned(first: int, count: int, references, poses, settings: Settings) -> PlannedShot:
    kept = kept_frames(count, settings.every)
    frames = first + np.array(kept)
    plan = plan_windows(
        len(kept), settings.overlap, settings.anchor, hold_short=settings.short == "hold"
    )
    # The path's own reference is its first pose for all of the shot, the source's moves along.
    seen = frames if settings.reference == "source" else np.full_like(frames, first)
    cameras = window_cameras(plan, poses[frames], references[seen], settings.subject_distance)
    return PlannedShot(first, count, kept, plan, cameras)


def _remarks(clip: Clip, settings: Settings, shots: list[PlannedShot]) -> list[str]:
    # A handful of frames has no rate to speak of.
    remarks = [rate_remark(clip.rate, settings.every)] if clip.frames > WINDOW else []
    if len(shots) > 1:
        starts = ", ".join(str(shot.first) for shot in shots[1:])
        remarks.append(f"The clip has cuts, at frame {starts}: each shot is re-shot by itself.")
    if settings.source in UNTRAINED:
        remarks.append(
            f"{UNTRAINED[settings.source]}; the public weights were not trained for this, "
            "and what comes of it may be poor."
        )
    remarks.append(far_start(shots[0].cameras[0][0, 0].numpy().reshape(3, 4)))
    if settings.short == "hold" and min(len(shot.kept) for shot in shots) < 81:
        remarks.append(
            "The model sees 81 frames: shorter shots are held on their last frame "
            "(short = public is quicker, and not how the model was trained)."
        )
    return remarks
