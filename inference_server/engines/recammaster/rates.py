"""Every n-th frame through the model, the others interpolated from what it made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import cv2
import numpy as np

from shared.errors import RecamError

TRAINED_RATE = 15  # frames a second, of the videos that the public model was trained on


def kept_frames(frames: int, every: int) -> list[int]:
    """Which of a shot's ``frames`` the model sees: each ``every``-th, and always the last.

    So every frame left out has a neighbour on either side; the last step may be a shorter one.
    """
    kept = list(range(0, frames, every))
    return kept if kept[-1] == frames - 1 else [*kept, frames - 1]


def rate_remark(rate: Fraction, every: int) -> str:
    """What the artist should know of the rate that the model sees; empty if it is as trained.

    rate: the clip's, frames a second.
    """
    seen = rate / every
    if every > 1:
        return (
            f"The model renders every {every}{_ordinal(every)} frame, {float(seen):.4g} a second, "
            f"and was trained on {TRAINED_RATE}; the frames between are interpolated from its own."
        )
    if abs(seen - TRAINED_RATE) < 1:
        return ""
    best = round(rate / TRAINED_RATE)
    hint = f" every = {best} would show it {float(rate / best):.4g}." if best > 1 else ""
    return (
        f"The model sees {float(seen):.4g} frames a second and was trained on {TRAINED_RATE}."
        + hint
    )


def _ordinal(number: int) -> str:
    return {2: "nd", 3: "rd"}.get(number, "th")


def in_between(made: Iterable[np.ndarray], kept: list[int]) -> Iterator[np.ndarray]:
    """All frames of a shot, ``kept[-1] + 1`` of them, ``(h, w, 3)`` uint8.

    made: the frames ``kept``, which come out as they are; those between are interpolated. Two
    are held at a time. Raises RecamError ``frames_missing`` if ``made`` has fewer.
    """
    made = iter(made)
    before = None
    for number, (index, previous) in enumerate(zip(kept, [-1, *kept], strict=False)):
        after = next(made, None)
        if after is None:
            raise RecamError(
                "frames_missing",
                f"The model made {number} of {len(kept)} frames.",
                "Please report this.",
            )
        gap = index - previous
        if before is not None and gap > 1:
            yield from between(before, after, [Fraction(step, gap) for step in range(1, gap)])
        yield after
        before = after


def between(before: np.ndarray, after: np.ndarray, times: Iterable[float]) -> Iterator[np.ndarray]:
    """Frames ``(h, w, 3)`` uint8 at ``times`` in 0..1 from ``before`` to ``after``.

    Dense optical flow both ways (Kroeger et al., Fast Optical Flow using Dense Inverse Search,
    2016). At each time either frame is moved there along its own flow, and the two are blended by
    nearness in time and by whether the flow leads to the same colour in the other frame. So what
    only one frame sees comes mostly from that one; where neither does the two fade into each
    other.
    """
    frames = (before, after)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    finder = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flows = [finder.calc(grey[side], grey[1 - side], None) for side in (0, 1)]
    misled = [_misled(frames[side], frames[1 - side], flows[side]) for side in (0, 1)]
    for time in times:
        moved, worth = [], []
        for side, share in ((0, float(time)), (1, 1 - float(time))):
            place = _trace_back(flows[side], share)
            moved.append(_at(frames[side], place, cv2.INTER_CUBIC).astype(np.float32))
            worth.append((1 - share) * (0.5 + np.exp(-_at(misled[side], place))))
        weight = (worth[0] / (worth[0] + worth[1]))[..., None]
        blend = weight * moved[0] + (1 - weight) * moved[1]
        yield np.clip(np.rint(blend), 0, 255).astype(np.uint8)


def _trace_back(flow: np.ndarray, share: float) -> np.ndarray:
    """``(h, w, 2)``: for each pixel the place that ``share`` of the flow moves onto it."""
    grid = _grid(flow)
    place = grid
    for _ in range(5):
        place = grid - share * _at(flow, place)
    return place


def _misled(frame: np.ndarray, other: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """``(h, w)`` float32: how unlike the place that the flow leads to is, 1 at 20 levels."""
    difference = cv2.absdiff(frame, _at(other, _grid(flow) + flow)).astype(np.float32)
    return (cv2.GaussianBlur(difference.mean(axis=2), (0, 0), 2) / 20) ** 2


def _grid(flow: np.ndarray) -> np.ndarray:
    height, width = flow.shape[:2]
    return np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)


def _at(picture: np.ndarray, place: np.ndarray, filter: int = cv2.INTER_LINEAR) -> np.ndarray:
    return cv2.remap(picture, place, None, filter, borderMode=cv2.BORDER_REPLICATE)
