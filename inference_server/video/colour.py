"""Between Recam's frames (full-range RGB) and the YUV of files: which matrix, which range.

Numbers of matrix, primaries and transfer are those of ITU-T H.273, which FFmpeg and the tags in
files use: 1 is BT.709, 2 is unspecified, 5 and 6 are BT.601, 9 is BT.2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

# By default swscale is up to 4 of 255 off on flat areas; with these it is within rounding, and
# bicubic chroma keeps 12 dB more of a smooth picture than bilinear does.
_ACCURATE = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)
_UNTAGGED = 2
_LIMITED, _FULL = 1, 2
_SWSCALE_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}  # H.273 -> swscale's own numbers
_HDR = {16: "PQ", 18: "HLG"}


@dataclass(frozen=True)
class Colour:
    """How a file's numbers become colours: H.273 numbers, and whether the range is full."""

    matrix: int = 1
    full_range: bool = False
    primaries: int = _UNTAGGED
    transfer: int = _UNTAGGED


def colour_of(frame: av.VideoFrame, untagged_matrix: int | None = None) -> tuple[Colour, list[str]]:
    """The rule for a decoded frame, and what an artist should know about it.

    Tags are followed. An untagged matrix is ``untagged_matrix`` if that is given, else BT.709 where
    the shorter side has 720 pixels or more (upright phone clips are HD too), else BT.601. An
    untagged range is limited for YUV; the yuvj formats, grey and RGB are full.

    Blender 4.5 and 5.0 show every untagged clip as BT.601, HD too: flat colours are then up to 34
    of 255 from BT.709's. Who wants the clip as Blender shows it gives 6.
    """
    kind = frame.format
    is_rgb = kind.is_rgb or kind.has_palette
    full = frame.color_range == _FULL or (
        frame.color_range != _LIMITED and (kind.name.startswith(("yuvj", "gray", "ya8", "ya16")))
    )
    remarks = []
    matrix = frame.colorspace
    if is_rgb:
        matrix, full = 0, True
    elif matrix not in _SWSCALE_MATRIX:
        matrix = untagged_matrix or (1 if min(frame.width, frame.height) >= 720 else 6)
        if len(kind.components) >= 3:
            unknown = frame.colorspace not in (0, _UNTAGGED)
            what = (
                f"has an unknown colour matrix ({frame.colorspace})" if unknown else "is untagged"
            )
            name = {1: "BT.709", 5: "BT.601", 6: "BT.601"}.get(matrix, f"matrix {matrix}")
            remarks.append(f"The clip's colour {what} and was taken as {name}.")
    if frame.color_trc in _HDR:
        remarks.append(
            f"The clip is HDR ({_HDR[frame.color_trc]}): its values are passed on as they are, "
            "in 8 bits, without tone mapping."
        )
    return Colour(matrix, full, frame.color_primaries, frame.color_trc), remarks


class ToRGB:
    """Decoded frames to RGB. Keeps swscale's tables between frames of one kind."""

    def __init__(self) -> None:
        self._swscale = VideoReformatter()

    def __call__(self, frame: av.VideoFrame, colour: Colour, width: int, height: int) -> np.ndarray:
        """``(height, width, 3)`` uint8 full-range RGB; straight alpha is laid over black."""
        alpha = has_alpha(frame.format)
        picture = self._swscale.reformat(
            frame,
            width=width,
            height=height,
            format="rgba" if alpha else "rgb24",
            src_colorspace=_SWSCALE_MATRIX.get(colour.matrix),
            src_color_range=_FULL if colour.full_range else _LIMITED,
            dst_color_range=_FULL,
            interpolation=_ACCURATE,
        ).to_ndarray()
        if not alpha:
            return picture
        return cv2.multiply(
            np.ascontiguousarray(picture[..., :3]),
            cv2.cvtColor(picture[..., 3], cv2.COLOR_GRAY2RGB),
            scale=1 / 255,
        )


class FromRGB:
    """RGB to the frames that the writer encodes: yuv420p, BT.709, limited range."""

    def __init__(self) -> None:
        self._swscale = VideoReformatter()

    def __call__(self, picture: np.ndarray) -> av.VideoFrame:
        """``(height, width, 3)`` uint8 full-range RGB, even sizes."""
        return self._swscale.reformat(
            av.VideoFrame.from_ndarray(picture, "rgb24"),
            format="yuv420p",
            dst_colorspace=_SWSCALE_MATRIX[1],
            src_color_range=_FULL,
            dst_color_range=_LIMITED,
            interpolation=_ACCURATE,
        )


def has_alpha(kind: av.VideoFormat) -> bool:
    """Whether frames of this pixel format carry transparency."""
    return kind.has_palette or any(component.is_alpha for component in kind.components)
