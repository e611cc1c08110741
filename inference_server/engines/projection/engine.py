"""The projection engine: settings, one frame, all frames."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from numbers import Real

import numpy as np

from inference_server.engines.base import Cancelled, Clip, OnProgress, Rendering, ShouldStop
from shared.cameras.trajectory import Trajectory
from shared.errors import RecamError

from . import plane, surface
from .depth import DepthOf, depth_of, nearness_map
from .estimate import megapixels, pace
from .fill import composite, fade
from .sampling import sample
from .sight import margin


class ProjectionEngine:
    """The instant preview, and the fallback where there is no GPU. See ``render``."""

    name = "projection"
    settings = frozenset({"subject_distance", "depth"})

    def render(
        self,
        clip: Clip,
        source_camera: Trajectory,
        trajectory: Trajectory,
        settings: dict,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> Iterator[Rendering]:
        """Throw frame i from the source camera's pose i, and see it from the target's pose i.

        settings: ``subject_distance``, metres from the source camera to the plane that faces it
        (4 if left out); ``depth``, instead of the plane: a sequence of ``(h, w)`` maps or a
        function from frame to map, z in metres from the source camera, inf for very far, NaN or
        <= 0 for unknown. A camera that does not leave the source's place needs neither.

        The report: ``unseen_share`` and ``unseen_share_worst``, mean and largest share (0..1) of
        a frame that the source never saw, which is filled with a blur of what is around it, as a
        remark says; ``geometry`` and ``note``, words for the artist. One take.

        Raises RecamError ``camera_length``, ``setting``, ``depth``; while the frames are made
        ``clip_length`` and ``depth``, and Cancelled.
        """
        distance, depth = _check_settings(settings, clip.frames)
        for owner, camera in (("source camera", source_camera), ("trajectory", trajectory)):
            if len(camera) != clip.frames:
                raise RecamError(
                    "camera_length",
                    f"The {owner} has {len(camera)} frames, the clip {clip.frames}.",
                    "Give one pose for every frame of the clip.",
                )
        report: dict[str, float | str] = {
            "geometry": "the given depth" if depth else f"a plane {distance:g} m away",
            "note": "A preview: what the source camera never saw is filled with a blur.",
        }
        render_frame = partial(
            _render_frame, source_camera, trajectory, distance, depth, (clip.width, clip.height)
        )
        work = megapixels(clip.width, clip.height, clip.frames)
        rendering = Rendering(
            clip.width, clip.height, iter(()), report, pace=pace(bool(depth)), work=work
        )
        rendering.frames = _frames(clip, render_frame, rendering, on_progress, should_stop)
        return iter([rendering])


def _check_settings(settings: dict, frames: int) -> tuple[float, DepthOf | None]:
    unknown = sorted(map(str, set(settings) - ProjectionEngine.settings))
    if unknown:
        raise RecamError(
            "setting",
            f"The projection engine has no setting named {', '.join(unknown)}.",
            "It knows subject_distance and depth.",
        )
    distance = settings.get("subject_distance", 4.0)
    number = isinstance(distance, Real) and not isinstance(distance, bool)
    if not (number and np.isfinite(distance) and distance > 0):
        raise RecamError(
            "setting",
            f"subject_distance is {distance!r}, which is no distance.",
            "Give metres, above 0.",
        )
    depth = settings.get("depth")
    return float(distance), None if depth is None else depth_of(depth, frames)


def _frames(clip, render_frame, rendering, on_progress, should_stop) -> Iterator[np.ndarray]:
    shares = []
    for index, frame in enumerate(clip):
        if index == clip.frames:
            break
        if should_stop():
            raise Cancelled
        picture, unseen = render_frame(index, frame)
        shares.append(unseen)
        on_progress(index + 1, clip.frames)
        yield picture
    if len(shares) != clip.frames:
        raise RecamError(
            "clip_length",
            f"The clip ended after {len(shares)} of {clip.frames} frames.",
            "The file may be damaged; export it again.",
        )
    unseen = float(np.mean(shares))
    rendering.report["unseen_share"] = unseen
    rendering.report["unseen_share_worst"] = float(np.max(shares))
    if unseen:
        rendering.remarks.append(
            f"The source camera never saw {100 * unseen:.1f} % of the take; it is filled with a "
            "blur."
        )


def _render_frame(
    source: Trajectory, target: Trajectory, distance, depth, size, index, frame
) -> tuple[np.ndarray, float]:
    """One frame and the share of it that the source never saw."""
    cameras = (source.poses[index], source.lenses[index], target.poses[index], target.lenses[index])
    moved = np.abs(source.poses[index][:3, 3] - target.poses[index][:3, 3]).max() > 1e-9
    if depth and moved:
        sight = surface.sight(nearness_map(depth, index, *size), *cameras)
    else:
        matrix = plane.homography(*cameras, distance, *size)
        if plane.is_identity(matrix):
            return frame, 0.0
        sight = plane.sight(matrix, *size)
    outside = sight.outside(*size)
    seen = sight.hit & (outside <= 0)
    share = fade(outside, margin(size[0])) * sight.hit
    picture = sample(frame, sight, share > 0, seen)
    if not seen.all():
        picture = composite(picture, share, seen, sight.nearness, frame)
    return picture, 1 - np.count_nonzero(seen) / seen.size
