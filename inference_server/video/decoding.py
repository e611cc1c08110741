"""Packets to frames, with an end to what gives none."""

from __future__ import annotations

import time
from os import PathLike

import av

from . import limits
from .opening import DAMAGED, unreadable


class Decoder:
    """The decoder of one stream; for WebM with alpha the one that decodes its alpha too.

    Raises RecamError ``clip_unreadable`` where packet after packet gives no picture.
    """

    def __init__(self, stream: av.VideoStream, file: str | PathLike) -> None:
        name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
        self._context = stream.codec_context
        if name is not None and stream.metadata.get("alpha_mode") == "1":
            self._context = av.CodecContext.create(name, "r")
            self._context.options = stream.codec_context.options
        self._file = file
        self._packets, self._seconds = 0, 0.0  # since the last picture

    def __call__(self, packet: av.Packet | None) -> list[av.VideoFrame | None]:
        """The packet's frames, or at None the last ones; None for each that is damaged."""
        began = time.monotonic()
        try:
            frames = [None if f.is_corrupt else f for f in self._context.decode(packet)]
        except (av.FFmpegError, ValueError):
            frames = [None]
        if any(frames):
            self._packets, self._seconds = 0, 0.0
        else:
            # What lies before the file's own in point is decoded, and rightly not shown.
            self._packets += not (packet is not None and packet.is_discard)
            self._seconds += time.monotonic() - began
        if self._packets > limits.BARREN_PACKETS or self._seconds > limits.BARREN_SECONDS:
            raise unreadable(
                self._file,
                f"gives no picture for {self._packets:,} packets on end.",
                DAMAGED,
            )
        return frames
