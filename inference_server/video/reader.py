"""A clip's frames, in order, from any file that FFmpeg decodes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from os import PathLike
from pathlib import Path

import av
import cv2
import numpy as np

from shared.errors import RecamError
from shared.words import counted

from . import limits
from .ahead import ahead
from .audio import AudioPart
from .colour import ToRGB
from .decoding import Decoder
from .opening import OnPacket, open_file, packets_of, picture_stream, unreadable
from .probe import ClipInfo, probe
from .timing import frame_number

_TURNS = {
    90: cv2.ROTATE_90_COUNTERCLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_CLOCKWISE,
}
# Seconds; a seek that lands too late is tried again further back, at last from the start (None).
_STEPS_BACK = (0, 1, 4, 16, None)


class Reader:
    """One clip out of one file, or out of several played one after the other.

    files: a path or a list of paths of one size and rate.
    first, frames: in point and length in frames of the clip at its constant rate; all that is
    left if ``frames`` is None. Frame k is the one nearest to k / rate after the file's first
    frame, or the one before it where there is none so near.

    untagged_matrix: for clips whose colour is untagged, see ``colour_of``. on_packet: called with
    all that is read, also before the first frame, and in the thread that reads.

    Iterating gives ``(height, width, 3)`` uint8 full-range RGB, each the reader's own no more,
    and may be done again. ``remarks`` holds sentences for the artist, and grows while frames are
    read: damaged places, where the last good frame is held, and a file that is up to 2 % (or 2
    frames) too short, as Blender's own count of a strip may be a frame longer.

    Raises RecamError ``clip_unreadable``, ``clip_mixed`` for files that differ, and
    ``clip_truncated`` if more frames are missing, as soon as that is known.
    """

    def __init__(
        self,
        files: str | PathLike | list[str | PathLike],
        first: int = 0,
        frames: int | None = None,
        untagged_matrix: int | None = None,
        on_packet: OnPacket = lambda: None,
    ) -> None:
        files = [files] if isinstance(files, str | PathLike) else files
        self._on_packet = on_packet
        self.infos = [probe(file, untagged_matrix, on_packet) for file in files]
        head = self.infos[0]
        for info in self.infos[1:]:
            if (info.width, info.height, info.rate) != (head.width, head.height, head.rate):
                raise RecamError(
                    "clip_mixed",
                    f"{_describe(info)}, but {_describe(head)}.",
                    "The files of one clip need the same size and frame rate.",
                )
        self.width, self.height, self.rate = head.width, head.height, head.rate
        self.colour, self.sample_aspect = head.colour, head.sample_aspect
        self.remarks = list(dict.fromkeys(r for info in self.infos for r in info.remarks))
        self.first = first
        there = sum(info.frames for info in self.infos) - first
        self.frames = there if frames is None else frames
        if first < 0 or self.frames < 1 or there < 1:
            raise RecamError(
                "clip_truncated",
                f"Frames {first} to {first + self.frames} are not in {_names(self.infos)}, "
                f"which has {counted(there + first, 'frame')}.",
                "Check the clip's in and out points.",
            )
        self._refuse_missing(self.frames - there)

    def __iter__(self) -> Iterator[np.ndarray]:
        waiting = limits.AHEAD // (3 * self.width * self.height)
        return ahead(self._read(), min(3, max(1, waiting)))

    def audio_parts(self) -> list[AudioPart]:
        """Where the sound of these frames lies in the files, for the writer."""
        return [
            AudioPart(
                info.path,
                float(info.start * info.tick + first / info.rate),
                float(count / info.rate),
            )
            for info, first, count in self._shares()
        ]

    def _shares(self) -> list[tuple[ClipInfo, int, int]]:
        """Which frames come out of which file: (file, in point, frames)."""
        shares, first, left = [], self.first, self.frames
        for info in self.infos:
            count = min(max(info.frames - first, 0), left)
            if count:
                shares.append([info, first, count])
            first, left = max(first - info.frames, 0), left - count
        shares[-1][2] += left
        return [tuple(share) for share in shares]

    def _read(self) -> Iterator[np.ndarray]:
        missing = 0
        for info, first, count in self._shares():
            upright = _Upright(info)
            last, shown, damaged = yield from _pictures(
                info, first, count, upright, self._on_packet
            )
            if upright.resized:
                self._remark(
                    f"{Path(info.path).name} changes its size on the way; all frames were brought "
                    f"to {info.width} x {info.height}."
                )
            if damaged:
                self._remark(
                    f"{Path(info.path).name} is damaged in {counted(damaged, 'place')}; the last "
                    "good frame is held there."
                )
            if shown == count:
                continue
            missing += count - shown
            if last is None:
                raise self._truncated(missing)
            self._refuse_missing(missing)
            self._remark(
                f"{Path(info.path).name} ends {counted(count - shown, 'frame')} early; "
                "its last frame is held."
            )
            for _ in range(count - shown):
                yield upright(last)

    def _remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def _refuse_missing(self, missing: int) -> None:
        if missing > max(2, 0.02 * self.frames):
            raise self._truncated(missing)

    def _truncated(self, missing: int) -> RecamError:
        return RecamError(
            "clip_truncated",
            f"{_names(self.infos)} gives only {self.frames - missing} of the {self.frames} "
            f"frames from frame {self.first} on.",
            "Check the clip's in and out points, and that the file is complete.",
        )


def _pictures(
    info: ClipInfo, first: int, count: int, upright: _Upright, on_packet: OnPacket
) -> Generator[np.ndarray, None, tuple[av.VideoFrame | None, int, int]]:
    """Up to ``count`` pictures; returns the last frame, how many were shown, damaged places."""
    at, end, last, held, damaged = first, first + count, None, 0, 0
    with closing(_numbered(info, first, on_packet)) as frames:
        for number, frame in frames:
            if frame is None:
                damaged += at > first
                continue
            if number < at:
                last = frame if at == first else last
                continue
            gap = min(number, end) - at
            held += gap
            for _ in range(gap):
                yield upright(last or frame)
            last = frame
            at += gap
            if at < end:
                yield upright(frame)
                at += 1
            if at == end:
                break
    return last, at - first, max(damaged, held if info.constant_rate else 0)


def _numbered(
    info: ClipInfo, first: int, on_packet: OnPacket
) -> Iterator[tuple[int, av.VideoFrame | None]]:
    """(number, frame), ascending, from a frame at or before ``first`` on; None where damaged."""
    for back in _STEPS_BACK if first and info.timed else (None,):
        with open_file(info.path) as container:
            stream = picture_stream(container, info.path)
            if back is not None:
                seconds = first / info.rate - back
                if seconds <= 0:
                    continue
                try:
                    container.seek(info.start + int(seconds / info.tick), stream=stream)
                except av.FFmpegError:
                    continue
            number, found = -1, False
            for frame in _decoded(container, stream, info.path, on_packet):
                if frame is not None:
                    number += 1
                    if info.timed and frame.pts is not None:
                        number = frame_number(frame.pts - info.start, info.tick, info.rate)
                    if back is not None and not found and number > first:
                        break
                    found = True
                yield number, frame
            if found:
                return


def _decoded(
    container: av.container.InputContainer,
    stream: av.VideoStream,
    file: str,
    on_packet: OnPacket,
) -> Iterator[av.VideoFrame | None]:
    """The good frames, and None for each packet or frame that is damaged."""
    decode = Decoder(stream, file)
    for packet in packets_of(container, stream, file, on_packet):
        if packet is not None and packet.is_corrupt:
            yield None  # decoded all the same: the mark may sit on the packet before the hole
        yield from decode(packet)


class _Upright:
    """Decoded frames as they are shown: RGB, mirrored and turned as the file says."""

    def __init__(self, info: ClipInfo) -> None:
        self.resized = False  # a frame was of another size than the first
        self._info = info
        self._to_rgb = ToRGB()

    def __call__(self, frame: av.VideoFrame) -> np.ndarray:
        info = self._info
        width, height = info.width, info.height
        if info.rotation % 180:
            width, height = height, width
        self.resized = self.resized or (frame.width, frame.height) != (width, height)
        try:
            picture = self._to_rgb(frame, info.colour, width, height)
        except (av.FFmpegError, ValueError) as error:
            why = f"has pictures of a kind that is not read ({frame.format.name})."
            raise unreadable(info.path, why, "Export it as H.264.") from error
        if info.mirrored:
            picture = cv2.flip(picture, 1)
        if info.rotation:
            picture = cv2.rotate(picture, _TURNS[info.rotation])
        return picture


def _names(infos: list[ClipInfo]) -> str:
    return ", ".join(Path(info.path).name for info in infos)


def _describe(info: ClipInfo) -> str:
    rate = f"{float(info.rate):g} frames per second"
    return f"{Path(info.path).name} has {info.width} x {info.height} pixels and {rate}"
