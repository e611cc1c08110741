"""From the clip's frame to the model's frame, and back to the take's.

Along each axis the clip's frame, scaled to ``scaled`` pixels, meets the model's frame of
``model`` pixels with their middles on each other. What of the scaled frame lies outside the
model's is not seen; what of the model's lies outside the scaled frame repeats its edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from PIL import Image

from .sizes import MULTIPLE, PIXEL_BUDGET, auto_size, parse_size
from .upscale import UPSCALERS, resize

CELL = 8  # pixels of the take per pixel of the blur beyond what the model saw
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Framing:
    """How the clip's frame meets the model's. Sizes are (width, height) in pixels.

    clip: the clip's frame. scaled: the whole of it in the model's scale, square pixels.
    model: the model's frame. part: (left, top) of the take within the clip's frame.
    take: the take's size. scale_up: a name in ``UPSCALERS``.
    unseen_share: of the take, 0..1, what the model did not see. remarks: for the artist.
    """

    clip: tuple[int, int]
    scaled: tuple[int, int]
    model: tuple[int, int]
    part: tuple[int, int]
    take: tuple[int, int]
    scale_up: str
    unseen_share: float
    remarks: tuple[str, ...]

    @property
    def offset(self) -> tuple[int, int]:
        """(left, top) of the model's frame in the scaled one; negative where the edge repeats."""
        return _offset(self.scaled, self.model)

    def to_model(self, frame: np.ndarray) -> np.ndarray:
        """``(3, h, w)`` float32 in [-1, 1] for the model, from the clip's ``(H, W, 3)`` uint8."""
        scaled = resize(Image.Resampling.BILINEAR, frame, (0, 0, *self.clip), self.scaled)
        (left, top), (width, height) = self.offset, self.model
        columns = np.clip(np.arange(left, left + width), 0, self.scaled[0] - 1)
        rows = np.clip(np.arange(top, top + height), 0, self.scaled[1] - 1)
        seen = scaled[rows[:, None], columns].transpose(2, 0, 1)
        return (np.ascontiguousarray(seen, np.float32) / np.float32(255) - 0.5) / 0.5

    def to_clip(self, frame: np.ndarray, crop=WHOLE) -> np.ndarray:
        """The take's ``(H, W, 3)`` uint8, from the model's ``(h, w, 3)`` uint8.

        crop: (left, top, width, height) of what the take's lens shows, in fractions of the
        clip's frame; see ``lens.plan_lens``. Cut and scaled in one step. What the model did not
        see is a soft blur of what lies beside it.
        """
        (x, left, right), (y, top, bottom) = (self._axis(axis, crop) for axis in (0, 1))
        size = (x.stop - x.start, y.stop - y.start)
        picture = UPSCALERS[self.scale_up](frame, (left, top, right, bottom), size)
        if size == self.take:
            return picture
        take = _blur_beyond(picture, x.start, y.start, self.take)
        take[y, x] = picture
        return take

    def _axis(self, axis: int, crop) -> tuple[slice, float, float]:
        """The take's pixels that the model's frame fills, and from where to where of it."""
        scaled, clip = self.scaled[axis], self.clip[axis]
        low, high = max(self.offset[axis], 0), min(self.offset[axis] + self.model[axis], scaled)
        step = crop[2 + axis] * scaled / clip  # model pixels per pixel of the take
        zero = crop[axis] * scaled + self.part[axis] * step
        # A hair's breadth of rounding must not cost a pixel.
        first = max(0, int(np.ceil((low - zero) / step - 1e-6)))
        end = min(self.take[axis], int(np.floor((high - zero) / step + 1e-6)))
        end = max(end, first + 1)
        ends = np.clip((zero + first * step, zero + end * step), low, high) - self.offset[axis]
        return slice(first, end), float(ends[0]), float(ends[1])


def _blur_beyond(picture: np.ndarray, left: int, top: int, size: tuple[int, int]) -> np.ndarray:
    """``(H, W, 3)`` uint8 of ``size``: ``picture``, put at (left, top), blurred and mirrored."""
    height, width = picture.shape[:2]
    small = (-(-width // CELL), -(-height // CELL))
    blurred = cv2.GaussianBlur(cv2.resize(picture, small, interpolation=cv2.INTER_AREA), (0, 0), 2)
    across, down = small[0] / width, small[1] / height
    # Middles of pixels lie half a pixel in, in the small picture as in the take.
    to_small = np.array(
        [
            [across, 0, (0.5 - left) * across - 0.5],
            [0, down, (0.5 - top) * down - 0.5],
        ]
    )
    return cv2.warpAffine(
        blurred,
        to_small,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )


def plan_framing(
    width: int,
    height: int,
    mode: str = "fit",
    size: str = "auto",
    pixel_budget: int = PIXEL_BUDGET,
    sample_aspect: Fraction | float = 1,
    scale_up: str = "lanczos",
) -> Framing:
    """The framing of a clip of ``width`` x ``height`` pixels.

    mode: ``fit``: the model sees the whole frame; ``fill``: the frame covers the model's, as in
    the public script, and what is left outside is a blur in the take; ``crop``: as fill, but the
    take is the part that the model saw, in even sizes. size: the model's, ``auto`` or
    ``WxH``. sample_aspect: width over height of one of the clip's pixels; the model sees square
    ones. scale_up: a name in ``UPSCALERS``.

    Raises RecamError ``size``, naming the nearest size that the model can do.
    """
    square = (width * Fraction(sample_aspect), Fraction(height))
    model = auto_size(*square, pixel_budget) if size == "auto" else parse_size(size, pixel_budget)
    ratios = [Fraction(m) / s for m, s in zip(model, square, strict=True)]
    if mode == "fit":
        # What the multiples alone leave over is no reason to scale.
        over = min(m - s for m, s in zip(model, square, strict=True))
        ratio = 1 if 0 <= over < MULTIPLE else min(ratios)
        scaled = tuple(min(m, max(1, round(s * ratio))) for m, s in zip(model, square, strict=True))
    else:
        # In floating point, as the public script rounds.
        ratio = max(map(float, ratios))
        scaled = tuple(max(m, round(float(s) * ratio)) for m, s in zip(model, square, strict=True))
    seen = [_seen((width, height), scaled, model, axis) for axis in (0, 1)]
    part, take = (0, 0), (width, height)
    if mode == "crop":
        part = tuple(int(np.ceil(low - 1e-6)) for low, _ in seen)
        ends = [int(np.floor(high + 1e-6)) for _, high in seen]
        take = tuple(max(2, (end - p) // 2 * 2) for end, p in zip(ends, part, strict=True))
    unseen = 1 - float(np.prod([high - low for low, high in seen])) / (width * height)
    remarks = _remarks((width, height), scaled, model, take, mode, scale_up, unseen, sample_aspect)
    unseen = unseen if mode == "fill" else 0.0
    return Framing((width, height), scaled, model, part, take, scale_up, unseen, remarks)


def _offset(scaled: tuple[int, int], model: tuple[int, int]) -> tuple[int, int]:
    # Halves are rounded to even, as in the public script.
    return tuple(round((s - m) / 2) for s, m in zip(scaled, model, strict=True))


def _seen(clip, scaled, model, axis: int) -> tuple[float, float]:
    """From where to where along ``axis`` the model sees the clip's frame, in its pixels."""
    offset, per_pixel = _offset(scaled, model)[axis], clip[axis] / scaled[axis]
    end = min(offset + model[axis], scaled[axis])
    return max(offset, 0) * per_pixel, end * per_pixel


def _remarks(clip, scaled, model, take, mode, scale_up, unseen, aspect) -> tuple[str, ...]:
    remarks = []
    times = clip[1] / scaled[1]
    if times != 1:
        way = "up" if times > 1 else "down"
        remarks.append(
            f"The model works at {model[0]} x {model[1]}; the take is scaled {way} "
            f"{max(times, 1 / times):.3g} times to {take[0]} x {take[1]} "
            f"({scale_up.capitalize()})."
        )
    if aspect != 1:
        remarks.append(
            f"The clip's pixels are {float(aspect):.3g} times as wide as high; the model sees "
            "square ones, and the take has the clip's again."
        )
    if mode == "fill" and unseen > 1e-9:
        remarks.append(
            f"The model sees the middle of the clip's frame; the strips beside it, "
            f"{100 * unseen:.1f} % of the take, are filled with a soft blur."
        )
    if take != clip:
        remarks.append(
            f"The take is the part of the clip's frame that the model sees, {take[0]} x {take[1]} "
            f"of {clip[0]} x {clip[1]} pixels."
        )
    return tuple(remarks)
