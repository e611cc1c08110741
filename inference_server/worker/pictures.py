"""The small pictures of a job at work: seldom enough, and small enough for any line."""

from __future__ import annotations

import base64
import time

import cv2

from shared.protocol.limits import PICTURE_SIDE

from ..engines.base import MakePicture

SECONDS = 0.5  # from one picture to the next


class Pictures:
    """Those of one job."""

    def __init__(self) -> None:
        self._last = -SECONDS

    def of(self, make: MakePicture | None) -> dict | None:
        """``width``, ``height`` and ``rgb``, base64 of its rows; None if there was one just now."""
        now = time.monotonic()
        if make is None or now - self._last < SECONDS:
            return None
        self._last = now
        picture = make()
        height, width = picture.shape[:2]
        if (scale := PICTURE_SIDE / max(height, width)) < 1:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            width, height = size
        rgb = base64.b64encode(picture.tobytes()).decode()
        return {"width": width, "height": height, "rgb": rgb}
