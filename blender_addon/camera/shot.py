"""The cameras of one re-shoot, read from the scene in slices: trajectory, source, subject."""

from __future__ import annotations

import bpy

from ..clip.layout import Rect
from ..scene.blocks import find
from ..settings import subject_metres
from ..shared.cameras.trajectory import Shot
from .sampling import CameraSampler


class ShotReader:
    """Reads the Shot that ``scene.recam`` describes.

    scene: in whose sequencer the strip lies. frames: the strip's. part: of the scene's frame that
    its plate shows; both cameras' lenses are the part's.
    """

    def __init__(self, scene: bpy.types.Scene, frames: range, part: Rect) -> None:
        settings = scene.recam
        self._scene = scene.session_uid
        self._target = CameraSampler(scene, frames, settings.camera, part, settings.subject)
        self._source = None
        if settings.source_camera is not None:
            self._source = CameraSampler(scene, frames, settings.source_camera, part)

    def step(self, seconds: float) -> float:
        """Read for about ``seconds``; the share done, 1.0 at the end. Raises as the sampler."""
        samplers = [sampler for sampler in (self._target, self._source) if sampler]
        for number, sampler in enumerate(samplers):
            if sampler.share < 1:
                return (number + sampler.step(seconds)) / len(samplers)
        return 1.0

    def shot(self) -> Shot:
        """The Shot, once ``step`` has returned 1.0. Raises RecamError ``camera_pose``,
        ``subject_distance``."""
        scene = find(bpy.data.scenes, self._scene, "scene")
        trajectory = self._target.trajectory()
        source = self._source.trajectory() if self._source else None
        reference = (source or trajectory).poses[0]
        place = self._target.subject_place
        return Shot(trajectory, source, subject_metres(scene.recam, scene, reference, place))
