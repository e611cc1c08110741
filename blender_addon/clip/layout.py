"""Where a strip's picture lies in the render frame. No Blender: sizes and numbers alone.

Frame and picture sizes are ``(width, height)`` in pixels. A Rect counts from the frame's top
left corner, y down. A Placement holds the strip's own numbers, which count upwards: Blender
puts the picture's middle on the frame's (rounded to whole pixels, towards zero), scales and
turns it about its origin, moves it by the offset, and mirrors the finished frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, cos, floor, sin

Size = tuple[int, int]
NEARLY = 0.01  # pixels; the strip's scale is a 32-bit number


@dataclass(frozen=True)
class Rect:
    """A part of the frame, in pixels from its top left corner."""

    left: float
    top: float
    width: float
    height: float

    def of(self, frame: Size) -> tuple[float, float, float, float]:
        """(left, top, width, height) in fractions of the frame, as ``lens.crop`` wants them."""
        return (
            self.left / frame[0],
            self.top / frame[1],
            self.width / frame[0],
            self.height / frame[1],
        )


@dataclass(frozen=True)
class Placement:
    """How a strip places its picture.

    picture: the file's size. crop: (left, top, right, bottom) in its pixels. offset: frame
    pixels, y up. rotation: radians, counter-clockwise. origin: fractions of the picture from
    its lower left corner. flip: whether the frame is mirrored (left to right, top to bottom).
    """

    picture: Size
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    origin: tuple[float, float] = (0.5, 0.5)
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)
    flip: tuple[bool, bool] = (False, False)


def picture_rect(placement: Placement, frame: Size) -> Rect:
    """What the cropped picture covers, also beyond the frame; its bounding box if turned."""
    width, height = placement.picture
    left, top, right, bottom = placement.crop
    pivot = width * placement.origin[0], height * placement.origin[1]
    shift = [
        pivot[i] + placement.offset[i] + _middle(frame[i], placement.picture[i]) for i in (0, 1)
    ]
    c, s = cos(placement.rotation), sin(placement.rotation)
    xs, ys = [], []
    for x in (left, width - right):
        for y in (bottom, height - top):
            dx = placement.scale[0] * (x - pivot[0])
            dy = placement.scale[1] * (y - pivot[1])
            xs.append(shift[0] + c * dx - s * dy)
            ys.append(frame[1] - (shift[1] + s * dx + c * dy))
    rect = Rect(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return _mirrored(rect, placement.flip, frame)


def visible_rect(placement: Placement, frame: Size) -> Rect:
    """The part of ``picture_rect`` inside the frame, in whole pixels, even in width and height.

    Even because H.264 wants it; a last odd row or column is left out. Width or height is 0
    where nothing is visible.
    """
    rect = picture_rect(placement, frame)
    left, right = _whole(rect.left, rect.left + rect.width, frame[0])
    top, bottom = _whole(rect.top, rect.top + rect.height, frame[1])
    return Rect(left, top, max(0, (right - left) // 2 * 2), max(0, (bottom - top) // 2 * 2))


def _whole(low: float, high: float, end: int) -> tuple[int, int]:
    """The whole pixels between ``low`` and ``high`` that lie in 0..end.

    Where an edge crosses a pixel, the next one goes too: Blender darkens the outermost pixels
    of a frame beyond which the picture goes on for less than a whole pixel.
    """
    first, last = ceil(low - NEARLY), floor(high + NEARLY)
    first += first - low > NEARLY
    last -= high - last > NEARLY
    return (0 if low < NEARLY else first), (end if high > end - NEARLY else last)


def whole_frame(frame: Size) -> Rect:
    """The frame itself, even in width and height."""
    return Rect(0, 0, frame[0] // 2 * 2, frame[1] // 2 * 2)


def inside(rect: Rect, frame: Size, pixel: float) -> bool:
    """Whether no whole pixel of the picture in ``rect``, so large, lies outside the frame.

    Blender puts a picture of odd size half a pixel off the middle: that hides nothing.
    """
    return (
        rect.left > -pixel
        and rect.top > -pixel
        and rect.left + rect.width < frame[0] + pixel
        and rect.top + rect.height < frame[1] + pixel
    )


def offset_in(placement: Placement, frame: Size, rect: Rect) -> tuple[float, float]:
    """The strip's offset in a frame as large as ``rect`` (whole pixels) that shows only it."""
    rect_before_flip = _mirrored(rect, placement.flip, frame)
    corner = rect_before_flip.left, frame[1] - rect_before_flip.top - rect.height
    size = int(rect.width), int(rect.height)
    x, y = (
        placement.offset[i]
        + _middle(frame[i], placement.picture[i])
        - _middle(size[i], placement.picture[i])
        - corner[i]
        for i in (0, 1)
    )
    return x, y


def filling(rect: Rect, frame: Size, picture: Size, content: Size) -> Placement:
    """The placement of a ``picture`` whose upper left part ``content`` fills ``rect``.

    What lies right of and below the content (the row or column that made an odd size even) is
    cropped away.
    """
    scale = rect.width / content[0], rect.height / content[1]
    crop = (0, 0, picture[0] - content[0], picture[1] - content[1])
    placed = Placement(picture, scale=scale, crop=crop)
    now = picture_rect(placed, frame)
    return replace(placed, offset=(rect.left - now.left, now.top - rect.top))


def _middle(outer: int, inner: int) -> int:
    return int((outer - inner) / 2)  # towards zero, as Blender does


def _mirrored(rect: Rect, flip: tuple[bool, bool], frame: Size) -> Rect:
    left = frame[0] - rect.left - rect.width if flip[0] else rect.left
    top = frame[1] - rect.top - rect.height if flip[1] else rect.top
    return replace(rect, left=left, top=top)
