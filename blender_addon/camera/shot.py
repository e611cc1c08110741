"""What one re-shoot reads from the scene, in slices: both cameras, the subject, the depth."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np

from ..clip.layout import Rect
from ..scene.blocks import find
from ..settings import subject_metres
from ..shared.cameras.trajectory import Shot, Trajectory
from ..shared.depth_file import write_depth
from ..shared.errors import RecamError
from .depth import DepthReader
from .rig import alive, geometry_of
from .sampling import CameraSampler, stage_of

STEADY = 1e-4  # of the distance: what a subject's depth may change before it counts as moving


class ShotReader:
    """Reads the Shot that ``scene.recam`` describes, and the depth of what stands in it.

    scene: in whose sequencer the strip lies. frames: the strip's. part: of the scene's frame that
    its plate shows; both cameras' lenses are the part's. folder: for the file ``depth``; None
    if no depth is wanted. There is none where a plane at the subject's distance is all there is.
    handle: how many of the frames come before the strip's first; a source camera that is not known
    stood where the camera stands at the strip's first, so that handles change nothing else.
    """

    def __init__(
        self,
        scene: bpy.types.Scene,
        frames: range,
        part: Rect,
        folder: Path | None = None,
        handle: int = 0,
    ) -> None:
        settings = scene.recam
        source, subject = alive(settings.source_camera), alive(settings.subject)
        camera = alive(settings.camera)
        geometry = geometry_of(settings) if folder else None
        self.depth: Path | None = None
        self._scene, self._frames = scene.session_uid, frames
        self._handle = 0 if source else handle
        self._file = folder / "depth.safetensors" if folder else None
        self._size = int(part.width), int(part.height)
        self._geometry = geometry.session_uid if geometry else None
        self._target = CameraSampler(scene, frames, camera, part, subject)
        self._source = CameraSampler(scene, frames, source, part) if source else None
        self._shot: Shot | None = None
        self._reader: DepthReader | None = None

    def step(self, seconds: float) -> float:
        """Read for about ``seconds``; the share done, 1.0 at the end.

        Raises RecamError as the sampler and the DepthReader do, and what ``Shot`` raises.
        """
        stages = 1 + bool(self._source) + bool(self._geometry)
        if self._target.share < 1:
            return min(self._target.step(seconds) / stages, 0.99)
        if self._source and self._source.share < 1:
            return min((1 + self._source.step(seconds)) / stages, 0.99)
        if self._shot is None:
            self._read_shot()
        if self._reader is None:
            return 1.0
        share = self._reader.step(seconds)
        return 1.0 if share == 1 else (stages - 1 + share) / stages

    def shot(self) -> Shot:
        """The Shot, once ``step`` has returned 1.0."""
        return self._shot

    def _read_shot(self) -> None:
        scene = find(bpy.data.scenes, self._scene, "scene")
        trajectory = self._target.trajectory()
        source = self._source.trajectory() if self._source else None
        if self._handle:
            pose, lens = trajectory.poses[self._handle], trajectory.lenses[self._handle]
            source = Trajectory.standing(pose, lens, trajectory.rate, len(trajectory))
        reference = (source or trajectory).poses[0]
        places = self._target.subject_places
        place = None if places is None else places[self._handle]
        distance = subject_metres(scene.recam, scene, reference, place)
        self._shot = Shot(trajectory, source, distance)
        seen_from = self._shot.assumed_source_camera
        if self._geometry:
            geometry = find(bpy.data.collections, self._geometry, "geometry")
            self.depth = self._file
            self._file.parent.mkdir(parents=True, exist_ok=True)
            stage = stage_of(scene, next(iter(geometry.all_objects)))
            self._reader = DepthReader(
                stage, self._frames, seen_from, geometry, self._size, self._file
            )
        elif place is not None and self._file:
            depths = subject_depths(seen_from, places, self._frames)
            if np.ptp(depths) > STEADY * depths[0]:  # the plane moves to and fro
                self.depth = self._file
                self._file.parent.mkdir(parents=True, exist_ok=True)
                maps = np.broadcast_to(depths[:, None, None], (len(depths), 2, 2))
                write_depth(self._file, maps.astype(np.float32))


def subject_depths(source: Trajectory, places: np.ndarray, frames: range) -> np.ndarray:
    """``(F,)`` metres from the source camera to the plane through the subject that faces it.

    places: ``(F, 3)``, metres. Raises RecamError ``subject_distance`` naming the first frame
    where the subject is behind the camera.
    """
    offsets = places - source.poses[:, :3, 3]
    depths = np.einsum("fi,fi->f", offsets, source.poses[:, :3, 2])
    if (depths <= 0).any():
        frame = frames[int(np.argmax(depths <= 0))]
        raise RecamError(
            "subject_distance",
            f"The subject is behind the source camera at frame {frame}.",
            "Keep it in front of the camera, or give a distance.",
        )
    return depths
