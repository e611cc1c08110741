"""Files for the video tests, made by PyAV, with a number readable in each picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation

CLIPS = Path(__file__).parents[2] / "clips"
ACCURATE = int(
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.FULL_CHR_H_INP
)


def numbered(number: int, width: int = 96, height: int = 72) -> np.ndarray:
    """A picture of 4 x 3 black or white blocks that spell ``number`` in bits."""
    bits = [(number >> bit) & 1 for bit in range(12)]
    blocks = np.array(bits, np.uint8).reshape(3, 4) * 219 + 16
    rows = np.arange(height) * 3 // height
    columns = np.arange(width) * 4 // width
    return np.repeat(blocks[rows][:, columns, None], 3, axis=2)


def number_of(picture: np.ndarray) -> int:
    """The number that ``numbered`` drew."""
    height, width = picture.shape[:2]
    bits = [
        picture[(2 * (bit // 4) + 1) * height // 6, (2 * (bit % 4) + 1) * width // 8].mean() > 128
        for bit in range(12)
    ]
    return sum(int(on) << bit for bit, on in enumerate(bits))


def numbers_of(pictures) -> list[int]:
    return [number_of(picture) for picture in pictures]


def make(
    path: Path,
    pictures,
    rate: Fraction | int = 25,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: list[int] | None = None,
    tick: Fraction | None = None,
    options: dict | None = None,
    rotation: int = 0,
    matrix: int | None = None,
    full_range: bool | None = None,
    tagged: bool = True,
    aspect: Fraction | None = None,
    sound: np.ndarray | None = None,
    sound_codec: str = "aac",
) -> Path:
    """Encode RGB or RGBA pictures. times: in ticks, one a picture, for a variable rate."""
    rate = Fraction(rate)
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, options=options or {})
        context = stream.codec_context
        pictures = list(pictures)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        context.time_base = tick or 1 / rate
        if aspect:
            context.sample_aspect_ratio = aspect
        if rotation:
            stream.set_display_rotation(rotation)
        if matrix and tagged:
            context.colorspace = matrix
        if full_range is not None:
            context.color_range = 2 if full_range else 1
        if sound is not None:
            voice = file.add_stream(sound_codec, rate=48000, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(picture), "rgba" if picture.shape[2] == 4 else "rgb24"
            )
            frame = frame.reformat(
                format=pixels,
                dst_colorspace={1: 1, 5: 5, 6: 5, 9: 9, None: None}[matrix],
                src_color_range=2,
                dst_color_range=2 if full_range else 1,
                interpolation=ACCURATE,
            )
            if not tagged:
                frame.colorspace, frame.color_range = 2, 0
            frame.pts = times[number] if times else number
            frame.time_base = context.time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if sound is not None:
            for place in range(0, len(sound), 4800):
                samples = np.ascontiguousarray(sound[None, place : place + 4800], np.float32)
                frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
                frame.rate, frame.pts, frame.time_base = 48000, place, Fraction(1, 48000)
                file.mux(voice.encode(frame))
            file.mux(voice.encode())
    return path


def make_numbered(path: Path, frames: int, width: int = 96, height: int = 72, **more) -> Path:
    return make(path, (numbered(n, width, height) for n in range(frames)), **more)


def beep(seconds: float, at: float, length: float = 0.1) -> np.ndarray:
    """Silence at 48 kHz with a 1 kHz tone from ``at`` on."""
    time = np.arange(round(seconds * 48000)) / 48000
    return np.where((time >= at) & (time < at + length), 0.5 * np.sin(2000 * np.pi * time), 0)


def hear(path: Path) -> tuple[np.ndarray, int]:
    """All sound of a file as a player gives it: first channel, and the rate."""
    with av.open(str(path)) as file:
        frames = list(file.decode(audio=0))
    rate = frames[0].rate
    end = max(round(float(f.time) * rate) + f.samples for f in frames)
    heard = np.zeros(end, np.float32)
    for frame in frames:
        place = round(float(frame.time) * rate)
        samples = frame.to_ndarray().astype(np.float32)
        heard[max(place, 0) : place + frame.samples] = samples[0][max(-place, 0) :]
    return heard, rate
