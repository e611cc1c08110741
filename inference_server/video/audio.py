"""The clip's sound, into the result: copied where it is a file's AAC, else encoded to AAC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from .opening import open_file, packets_of, sound_fits, sound_stream

_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}  # anything else becomes stereo
_PREROLL = 0.5  # seconds decoded before the in point, for decoders that must settle
_JITTER = 0.05  # seconds by which timestamps may stray before silence is put in or sound cut
_LONGEST = 0.5  # seconds of sound in one packet; those that claim more are damaged
_LOUDEST = 8.0  # of full scale 1; AAC's encoder ends on infinity


@dataclass(frozen=True)
class AudioPart:
    """A stretch of one file's sound: ``start`` in the file's own time; seconds."""

    path: str
    start: float
    duration: float


def add_audio(output: OutputContainer, parts: list[AudioPart]) -> Iterator[float]:
    """Add one stream with the parts' sound, played one after the other, to ``output``.

    Returns an iterator that writes a little more at each step and gives the seconds written; the
    sound is complete once it is exhausted. Where a file has no sound there is silence; if none
    has any, no stream is added.
    """
    sources = [open_file(part.path) for part in parts]
    streams = [sound_stream(source) for source in sources]
    first = next((stream for stream in streams if stream), None)
    if first is None:
        for source in sources:
            source.close()
        return iter(())
    # Without extradata it is a broadcast's AAC: a damaged packet of it spoils the whole file.
    if len(parts) == 1 and first.codec_context.name == "aac" and first.codec_context.extradata:
        target = output.add_stream_from_template(first)
        return _copy(output, target, sources[0], first, parts[0])
    rates = av.codec.Codec("aac", "w").audio_rates
    rate = first.rate if first.rate in rates else 48000
    layout = _LAYOUTS.get(first.layout.nb_channels, "stereo")
    target = output.add_stream("aac", rate=rate, layout=layout)
    target.bit_rate = 128_000 * target.layout.nb_channels
    return _encode(output, target, list(zip(sources, streams, parts, strict=True)))


def _copy(
    output: OutputContainer,
    target: AudioStream,
    source: InputContainer,
    stream: AudioStream,
    part: AudioPart,
) -> Iterator[float]:
    """Packets as they are. The one that straddles the in point, and the one before it, get
    negative times: the file's edit list hides them, to the sample, and the decoder settles."""
    tick = stream.time_base
    start, last = round(part.start / tick), None
    longest = round(_LONGEST / tick)
    with source:
        _seek(source, stream, part.start - _PREROLL)
        for packet in packets_of(source, stream, part.path):
            if packet is None or packet.pts is None:
                continue
            length = min(packet.duration or 0, longest)
            if packet.pts + 2 * length <= start or (last is not None and packet.pts <= last):
                continue
            if (packet.pts - start) * tick >= part.duration:
                break
            last = packet.pts
            if bytes(packet)[:2] >= b"\xff\xf0":  # damaged: the muxer would take it for a stream's
                continue
            packet.pts = packet.dts = packet.pts - start
            packet.duration, packet.stream = length, target
            seconds = float((packet.pts + length) * tick)
            output.mux(packet)
            yield seconds


def _encode(
    output: OutputContainer,
    target: AudioStream,
    parts: list[tuple[InputContainer, AudioStream | None, AudioPart]],
) -> Iterator[float]:
    rate, channels = target.rate, target.layout.nb_channels
    written, begin = 0, 0.0

    def write(sound: np.ndarray) -> float:
        nonlocal written
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(sound, np.float32), "fltp", target.layout.name
        )
        frame.rate, frame.pts, frame.time_base = rate, written, Fraction(1, rate)
        output.mux(target.encode(frame))
        written += sound.shape[1]
        return written / rate

    for source, stream, part in parts:
        end = round((begin + part.duration) * rate)
        with source:
            for second, sound in _decode(source, stream, part, rate, target.layout.name):
                place = round((begin + second) * rate)
                if abs(place - written) > _JITTER * rate or written == round(begin * rate):
                    sound = sound[:, max(written - place, 0) :]
                    while written < min(place, end):
                        yield write(np.zeros((channels, min(place - written, rate))))
                sound = sound[:, : end - written]
                if sound.shape[1]:
                    yield write(sound)
                if written >= end:
                    break
        while written < end:
            yield write(np.zeros((channels, min(end - written, rate))))
        begin += part.duration
    output.mux(target.encode())


def _decode(
    source: InputContainer, stream: AudioStream | None, part: AudioPart, rate: int, layout: str
) -> Iterator[tuple[float, np.ndarray]]:
    """(seconds after the part's start, ``(channels, samples)`` float32)."""
    if stream is None:
        return
    _seek(source, stream, part.start - _PREROLL)
    known, resampler = None, None
    for packet in packets_of(source, stream, part.path):
        try:
            frames = stream.codec_context.decode(packet)
        except (av.FFmpegError, ValueError):
            continue
        for frame in frames:
            kind = frame.format.name, frame.layout.name, frame.rate
            if kind != known:  # damage, or a broadcast that changes on the way
                if not sound_fits(frame.rate, frame.layout.nb_channels):
                    continue
                known = kind
                resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate)
            try:
                pieces = resampler.resample(frame)
            except (av.FFmpegError, ValueError):
                continue
            for even in pieces:
                if even.pts is not None:
                    sound = np.nan_to_num(even.to_ndarray()).clip(-_LOUDEST, _LOUDEST)
                    yield float(even.pts * even.time_base) - part.start, sound


def _seek(source: InputContainer, stream: AudioStream, seconds: float) -> None:
    if seconds > float((stream.start_time or 0) * stream.time_base):
        with suppress(av.FFmpegError):  # then it is read from where it stands
            source.seek(int(seconds / stream.time_base), stream=stream)
