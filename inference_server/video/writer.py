"""Frames to a file that Blender and browsers play: near-lossless H.264 in an MP4."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from math import inf
from pathlib import Path

import av
import cv2
import numpy as np

from shared.errors import RecamError

from .audio import AudioPart, add_audio
from .colour import Colour, FromRGB

# A key frame every 12 frames and no B-frames: Blender scrubs quickly, and the first frame's time
# is 0. At 720p: above 46 dB, 10 to 17 Mbit/s, over 100 frames a second on two cores.
_X264 = {"preset": "superfast", "crf": "8", "g": "12", "bf": "0"}


class Writer:
    """Write frames to ``path``, which appears only once the file is complete.

    width, height: of the frames, ``(height, width, 3)`` uint8 full-range RGB.
    rate: frames per second; frame k is at exactly k / rate.
    colour: the clip's, whose primaries and transfer are tagged on the result; the matrix is
    always BT.709 and the range limited.
    sample_aspect: width over height of a pixel.
    audio: sound to go along, see ``Reader.audio_parts``.

    Even sizes: H.264 players want an even width and height. An odd width gains one column on the
    right, an odd height one row at the bottom, a repeat of the last; nothing is lost or scaled.
    ``content_size`` is the size of the frames, ``coded_size`` that of the file, to which players
    and Blender show it.

    Use as a context manager: leaving it by an error removes what was written.
    Raises RecamError ``result_unwritable``.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        width: int,
        height: int,
        rate: Fraction,
        colour: Colour | None = None,
        sample_aspect: Fraction = Fraction(1),
        audio: Iterable[AudioPart] = (),
    ) -> None:
        self.path = Path(path)
        self.rate = Fraction(rate)
        self.content_size = width, height
        self.coded_size = width + width % 2, height + height % 2
        self.frames = 0
        self._partial = self.path.with_name(f".{self.path.stem}.{os.getpid()}.part")
        self._to_yuv = FromRGB()
        self._heard = 0.0
        try:
            self._partial.touch()  # av.open says nothing of a folder that isn't there
            self._file = av.open(
                str(self._partial), "w", format="mp4", options={"movflags": "+faststart"}
            )
        except (OSError, av.FFmpegError) as error:
            raise self._unwritable(error) from error
        try:
            self._video = self._add_video(colour or Colour(), Fraction(sample_aspect))
            self._audio = add_audio(self._file, list(audio))
        except BaseException:
            self.discard()
            raise

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, and the sound up to its end."""
        width, height = self.content_size
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise ValueError(
                f"frame {frame.shape} {frame.dtype} is not ({height}, {width}, 3) uint8"
            )
        if self.coded_size != self.content_size:
            frame = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        picture = self._to_yuv(np.ascontiguousarray(frame))
        picture.pts, picture.time_base = self.frames, 1 / self.rate
        self.frames += 1
        self._mux(picture)
        self._advance_audio(float(self.frames / self.rate))

    def close(self) -> None:
        """Complete the file and give it its name."""
        try:
            self._mux(None)
            self._advance_audio(inf)
            self._file.close()
            with open(self._partial, "rb+") as written:
                os.fsync(written.fileno())
            os.replace(self._partial, self.path)
        except (OSError, av.FFmpegError) as error:
            self.discard()
            raise self._unwritable(error) from error

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(
            OSError, ValueError, av.FFmpegError
        ):  # what was to be written is not wanted any more
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _add_video(self, colour: Colour, sample_aspect: Fraction) -> av.VideoStream:
        stream = self._file.add_stream("libx264", rate=self.rate, options=_X264)
        context = stream.codec_context
        stream.width, stream.height = self.coded_size
        stream.pix_fmt = "yuv420p"
        context.time_base = 1 / self.rate
        context.sample_aspect_ratio = sample_aspect
        context.colorspace, context.color_range = 1, 1
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        return stream

    def _mux(self, picture: av.VideoFrame | None) -> None:
        try:
            self._file.mux(self._video.encode(picture))
        except (OSError, av.FFmpegError) as error:
            raise self._unwritable(error) from error

    def _advance_audio(self, until: float) -> None:
        while self._heard < until:
            self._heard = next(self._audio, inf)

    def _unwritable(self, error: OSError | av.FFmpegError) -> RecamError:
        return RecamError(
            "result_unwritable",
            f"{self.path.name} could not be written: {error.strerror or error}.",
            "Check that the folder exists, is writable and has space.",
        )
