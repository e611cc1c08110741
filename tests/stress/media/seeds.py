"""Small whole clips in the containers and codecs that artists have, to be broken afterwards."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FRAMES = 12
SIZE = 96, 64
SECRET = 230, 20, 160  # the one colour of the clip that nobody sent

# name: (ending, container, codec, pixels, sound, options of the container)
KINDS = {
    "h264.mp4": ("mp4", "libx264", "yuv420p", "aac", {}),
    "front.mp4": ("mp4", "libx264", "yuv420p", "aac", {"movflags": "+faststart"}),
    "pieces.mp4": ("mp4", "libx264", "yuv420p", "aac", {"movflags": "frag_keyframe+empty_moov"}),
    "hevc.mp4": ("mp4", "libx265", "yuv420p10le", None, {}),
    "mpeg4.mp4": ("mp4", "mpeg4", "yuv420p", None, {}),
    "av1.mp4": ("mp4", "libsvtav1", "yuv420p", None, {}),
    "prores.mov": ("mov", "prores_ks", "yuv422p10le", "pcm_s16le", {}),
    "mjpeg.mov": ("mov", "mjpeg", "yuvj420p", "pcm_s16le", {}),
    "png.mov": ("mov", "png", "rgba", None, {}),
    "h264.mkv": ("matroska", "libx264", "yuv420p", "flac", {}),
    "ffv1.mkv": ("matroska", "ffv1", "yuv444p12le", "pcm_s16le", {}),
    "vp9.webm": ("webm", "libvpx-vp9", "yuv420p", "libopus", {}),
    "vp8.webm": ("webm", "libvpx", "yuv420p", None, {}),
    "mjpeg.avi": ("avi", "mjpeg", "yuvj420p", "pcm_s16le", {}),
    "mpeg4.avi": ("avi", "mpeg4", "yuv420p", "mp2", {}),
    "mpeg2.mpg": ("mpeg", "mpeg2video", "yuv420p", "mp2", {}),
    "h264.ts": ("mpegts", "libx264", "yuv420p", "aac", {}),
    "mpeg2.mxf": ("mxf", "mpeg2video", "yuv422p", "pcm_s16le", {}),
    "flv1.flv": ("flv", "flv", "yuv420p", None, {}),
    "wmv2.wmv": ("asf", "wmv2", "yuv420p", None, {}),
    "vp8.ogv": ("ogg", "libvpx", "yuv420p", None, {}),
    "ffv1.nut": ("nut", "ffv1", "yuv420p", None, {}),
    "raw.y4m": ("yuv4mpegpipe", "wrapped_avframe", "yuv420p", None, {}),
    "picture.gif": ("gif", "gif", "rgb8", None, {}),
    "picture.apng": ("apng", "apng", "rgb24", None, {}),
    "stream.h264": ("h264", "libx264", "yuv420p", None, {}),
    "stream.m2v": ("mpeg2video", "mpeg2video", "yuv420p", None, {}),
}


def write_seeds(folder: Path) -> dict[str, bytes]:
    """One file of each kind."""
    os.environ.setdefault("SVT_LOG", "1")  # AV1's encoder would tell a great deal
    rng = np.random.default_rng(3)
    grain = rng.integers(0, 256, (SIZE[1] // 4, SIZE[0] // 4, 3), dtype=np.uint8)
    picture = grain.repeat(4, 0).repeat(4, 1)
    pictures = [np.roll(picture, 2 * number, 1) for number in range(FRAMES)]
    made = {}
    for name, kind in KINDS.items():
        write(folder / name, pictures, *kind)
        made[name] = (folder / name).read_bytes()
    return made


def write_secret(path: Path, container: str = "mp4") -> Path:
    """A whole clip of one colour, which no take may show."""
    picture = np.full((SIZE[1], SIZE[0], 3), SECRET, np.uint8)
    codec = "mjpeg" if container == "mov" else "libx264"
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    write(path, [picture] * FRAMES, container, codec, pixels, None, {})
    return path


def write(path, pictures, container, codec, pixels, sound, options) -> None:
    """Encode RGB pictures, and a hum if there is to be sound."""
    with av.open(str(path), "w", format=container, container_options=options) as file:
        quiet = {"x265-params": "log-level=0"} if codec == "libx265" else {}
        stream = file.add_stream(codec, rate=25, options=quiet)
        stream.width, stream.height = pictures[0].shape[1::-1]
        stream.pix_fmt = pixels
        voice = sound and file.add_stream(sound, rate=48000, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")
            frame = frame.reformat(format=pixels)
            frame.pts, frame.time_base = number, Fraction(1, 25)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if voice:
            time = np.arange(1920 * FRAMES) / 48000
            hum = (8000 * np.sin(2 * np.pi * 200 * time)).astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(hum, "s16", "mono")
            frame.rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
            even = av.AudioResampler(voice.format, voice.layout, 48000, voice.frame_size or 1152)
            for piece in [*even.resample(frame), *even.resample(None)]:
                file.mux(voice.encode(piece))
            file.mux(voice.encode())
