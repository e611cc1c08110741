"""Cuts inside a clip: where a frame no longer shows what the one before it showed.

Small grey pictures are compared after the later one was moved onto the earlier along its optical
flow, by their local correlation, which knows no brightness. So neither motion nor a change of
exposure looks like a cut: on film and animation, fast pans included, neighbours within a shot
correlated by 0.5 at the least, across cuts by 0.23 at the most, across black by 0.35. A shot that
dissolves into the next, both visible at once, is not told apart from it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import cv2
import numpy as np

from shared.errors import RecamError

SIDE = 192  # pixels of a small picture's longer side
AREA = (9, 9)  # small pixels over which a correlation is local
ALIKE = 0.4  # the least correlation within a shot
CALM = 0.5  # the least beside a cut; where all neighbours are unlike, the camera is whipped round
CONTRAST = 1.5  # levels; below, a frame shows nothing: black between fades, a white flash
REACH = 5  # a flash lasts fewer frames, or whatever else comes between two frames of one shot
NAMED = 10  # cuts that an error names


def shots(
    frames: Iterable[np.ndarray],
    rate: Fraction,
    mode: Literal["separate", "refuse", "ignore"] = "separate",
) -> list[tuple[int, int]]:
    """(first frame, number of frames) of each shot; reads ``frames`` once, holding a few.

    frames: ``(H, W, 3)`` uint8. rate: frames a second, for the time codes. mode: with ``refuse``
    cuts raise RecamError ``cut``, which names them; with ``ignore`` none is looked for.
    """
    if mode == "ignore":
        return [(0, sum(1 for _ in frames))]
    counted = _Counted(frames)
    starts = list(find_cuts(counted))
    if starts and mode == "refuse":
        named = [f"{start} ({time_code(start, rate)})" for start in starts[:NAMED]]
        more = f" and {len(starts) - NAMED} more" if len(starts) > NAMED else ""
        raise RecamError(
            "cut",
            f"The clip cuts to another shot at frame {', '.join(named)}{more}.",
            "Split it there, or let each shot be rendered for itself (cuts: separate).",
        )
    starts = [0, *starts]
    ends = [*starts[1:], counted.number]
    return [(start, end - start) for start, end in zip(starts, ends, strict=True)]


def time_code(frame: int, rate: Fraction) -> str:
    """``m:ss:ff`` (hours in front where there are any) from the clip's first frame on."""
    seconds, rest = divmod(Fraction(frame) / rate, 1)
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    hour = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{hour}:{seconds:02}:{int(rest * rate):02}"


def find_cuts(frames: Iterable[np.ndarray]) -> Iterator[int]:
    """The numbers of the frames that begin another shot, found up to ``REACH`` frames later.

    frames: ``(H, W, 3)`` uint8. Of black between two shots either gets a half.
    """
    pictures = _pictures(frames)
    last, calm = next(pictures, None), True
    before: deque[_Picture] = deque(maxlen=REACH)  # the shot's latest pictures but ``last``
    others: list[_Picture] = []  # those after ``last`` that do not look like it
    waiting: deque[_Picture] = deque()
    while last:
        picture = waiting.popleft() if waiting else next(pictures, None)
        if picture:
            likeness = alike(last, picture)
            if likeness >= ALIKE:
                before.append(last)
                last, calm, others = picture, bool(others) or likeness >= CALM, []
                continue
            others.append(picture)
        if picture and len(others) < REACH:
            continue
        if not others:
            return
        # After a flash that still looked like the shot, the shot does not look like the flash.
        same = any(alike(old, new) >= ALIKE for old in before for new in (others[0], others[-1]))
        begins = _beginnings(others) if calm and not same else []
        for number in begins:
            yield others[number].begins
            before.clear()
        rest = begins[-1] if begins else len(others) - 1
        last, calm = others[rest], bool(begins) or same
        waiting.extendleft(reversed(others[rest + 1 :]))
        others = []


@dataclass(frozen=True)
class _Picture:
    """A small grey picture that shows something.

    begins: the number of its frame, or of the middle one of the empty frames before it.
    """

    begins: int
    grey: np.ndarray


def _pictures(frames: Iterable[np.ndarray]) -> Iterator[_Picture]:
    after = 0
    for number, frame in enumerate(frames):
        scale = SIDE / max(frame.shape[:2])
        size = [max(8, round(side * scale)) for side in frame.shape[1::-1]]
        small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        if np.sqrt(_spread(grey.astype(np.float32))).mean() >= CONTRAST:
            yield _Picture((after + number + 1) // 2, grey)
            after = number + 1


def _beginnings(others: list[_Picture]) -> list[int]:
    """Which of the pictures begin a shot: the first, and the second after a shot of one frame."""
    for number in (0, 1):
        calm = number + 1 == len(others) or alike(*others[number : number + 2]) >= CALM
        if calm:
            return list(range(number + 1))
    return []


def alike(picture: _Picture, later: _Picture) -> float:
    """How alike two pictures are, 0..1, wherever their parts have moved.

    Tried until they are: in place, along the flow, along the flow from the shift of the whole
    on, as a jerk may be too wide for the flow alone.
    """
    grey, other = picture.grey, later.grey
    best = _correlation(grey, other)
    if best < CALM:
        best = max(best, _correlation(grey, _moved_back(grey, other, None)))
    if best < ALIKE:
        floats, window = [p.astype(np.float32) for p in (grey, other)], grey.shape[::-1]
        shift, _ = cv2.phaseCorrelate(*floats, cv2.createHanningWindow(window, cv2.CV_32F))
        start = np.full((*grey.shape, 2), shift, np.float32)
        best = max(best, _correlation(grey, _moved_back(grey, other, start)))
    return best


def _moved_back(grey: np.ndarray, other: np.ndarray, start: np.ndarray | None) -> np.ndarray:
    """``other`` moved onto ``grey`` along the flow, which is looked for from ``start`` on."""
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(grey, other, start)
    height, width = grey.shape
    grid = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    return cv2.remap(other, grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _correlation(grey: np.ndarray, other: np.ndarray) -> float:
    """The mean local correlation, -1..1, of pictures ``(h, w)`` uint8, by their contrast."""
    grey, other = grey.astype(np.float32), other.astype(np.float32)
    spread, other_spread = _spread(grey), _spread(other)
    common = cv2.blur(grey * other, AREA) - cv2.blur(grey, AREA) * cv2.blur(other, AREA)
    # A variance of 1 more on either side, so that what differs by rounding alone is alike.
    local = (common + 1) / np.sqrt((spread + 1) * (other_spread + 1))
    weight = np.sqrt(np.sqrt(spread * other_spread))
    return float((local * weight).sum() / max(weight.sum(), 1e-9))


def _spread(grey: np.ndarray) -> np.ndarray:
    """The local variance, squared levels."""
    return np.maximum(cv2.blur(grey * grey, AREA) - cv2.blur(grey, AREA) ** 2, 0)


class _Counted:
    def __init__(self, frames: Iterable[np.ndarray]) -> None:
        self.frames, self.number = frames, 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in self.frames:
            self.number += 1
            yield frame
