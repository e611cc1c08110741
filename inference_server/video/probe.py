"""What a clip is, without decoding it: size as shown, frames, rate, colour, and what is odd."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from os import PathLike

import av
import numpy as np

from shared.errors import RecamError

from . import limits, timing
from .colour import Colour, colour_of, has_alpha
from .decoding import Decoder
from .opening import (
    DAMAGED,
    OnPacket,
    check_size,
    open_file,
    packets_of,
    picture_stream,
    sound_stream,
    unreadable,
)


@dataclass
class ClipInfo:
    """A clip as Recam will read it.

    width, height: pixels as shown, after rotation.
    frames: what the reader gives, at ``rate`` frames per second.
    constant_rate: False if the file's own rate varies; the reader then makes it constant.
    rotation: degrees counter-clockwise that turn the stored picture upright: 0, 90, 180, 270.
    mirrored: whether the stored picture is also mirrored, left to right, before turning.
    sample_aspect: width over height of one pixel as shown. Pixels are never rescaled for it.
    duration: seconds. bits: per colour channel, as stored.
    remarks: sentences for the artist about what was assumed or changed.
    """

    path: str
    width: int
    height: int
    frames: int
    rate: Fraction
    constant_rate: bool
    rotation: int
    mirrored: bool
    pixel_format: str
    bits: int
    has_alpha: bool
    colour: Colour
    has_audio: bool
    sample_aspect: Fraction
    codec: str
    duration: float
    start: int  # timestamp of frame 0, in ticks
    tick: Fraction  # seconds
    timed: bool  # False: frames carry no usable times and are counted in order
    remarks: list[str] = field(default_factory=list)


def probe(
    file: str | PathLike,
    untagged_matrix: int | None = None,
    on_packet: OnPacket = lambda: None,
) -> ClipInfo:
    """Look through a clip's packets; one frame is decoded, more only where packets mislead.

    untagged_matrix: see ``colour_of``. on_packet: see ``packets_of``. Memory: some 50 bytes a
    frame.
    Raises RecamError ``clip_unreadable``, naming the file.
    """
    scan = _scan(file, False, on_packet)
    if scan.misleading:
        scan = _scan(file, True, on_packet)
    frame = scan.frame
    check_size(frame.width, frame.height, file)
    colour, remarks = colour_of(frame, untagged_matrix)
    rotation, mirrored = orientation(frame)
    width, height = frame.width, frame.height
    aspect = scan.aspect
    if rotation % 180:
        width, height, aspect = height, width, 1 / aspect

    start, frames, rate, constant = _timing(scan, file)
    if not constant:
        remarks.append(
            f"The clip's frame rate varies; it was made constant at {float(rate):g} per second."
        )
    if scan.declared_frames > len(scan.ticks) + 2:
        remarks.append(f"The file is cut off: {frames} of {scan.declared_frames} frames are there.")
    if scan.unheard:
        remarks.append("The clip's sound cannot be read; the take has none.")
    alpha = has_alpha(frame.format) or scan.has_alpha
    if alpha:
        remarks.append("The clip has an alpha channel; it was laid over black.")
    if frame.interlaced_frame:
        remarks.append("The clip is interlaced; its fields are left woven together.")
    if not 1 / limits.ASPECT <= aspect <= limits.ASPECT:
        remarks.append(f"The clip claims pixels of {aspect}, width to height; it was not believed.")
        aspect = Fraction(1)
    elif aspect != 1:
        remarks.append(f"The clip's pixels are not square ({aspect}); they are kept as they are.")
    return ClipInfo(
        path=str(file),
        width=width,
        height=height,
        frames=frames,
        rate=rate,
        constant_rate=constant,
        rotation=rotation,
        mirrored=mirrored,
        pixel_format=frame.format.name,
        bits=max((c.bits for c in frame.format.components), default=8),
        has_alpha=alpha,
        colour=colour,
        has_audio=scan.has_audio,
        sample_aspect=aspect,
        codec=scan.codec,
        duration=float(frames / rate),
        start=start,
        tick=scan.tick,
        timed=scan.timed,
        remarks=remarks,
    )


@dataclass
class _Scan:
    frame: av.VideoFrame  # the first that decodes
    ticks: list[int | None]  # one a frame, in the file's order
    misleading: bool  # the packets say less, or other, than the frames would
    tick: Fraction
    last_shown: int  # how long the last frame stands, in ticks; 0 if not known
    declared: list[Fraction | None]
    declared_frames: int
    aspect: Fraction
    codec: str
    has_alpha: bool
    has_audio: bool
    unheard: bool  # there is sound, of a kind that is not read

    @property
    def timed(self) -> bool:
        return None not in self.ticks and len(set(self.ticks)) == len(self.ticks)


def _timing(scan: _Scan, file: str | PathLike) -> tuple[int, int, Fraction, bool]:
    """Frame 0's time in ticks, how many frames there are, at which rate, and if it is constant.

    Raises RecamError ``clip_unreadable`` for times that no clip has.
    """
    slowest, fastest = limits.RATES
    declared = [rate for rate in scan.declared if rate and slowest <= rate <= fastest]
    if not scan.timed:
        return 0, len(scan.ticks), (declared or [Fraction(25)])[0], True
    start, last = scan.frame.pts, max(scan.ticks)
    if (
        abs(start * scan.tick) > limits.START
        or not 0 <= (last - start) * scan.tick <= limits.SECONDS
    ):
        raise unreadable(
            file, f"has times that jump by {_span((last - start) * scan.tick)}.", DAMAGED
        )
    ticks = np.sort(np.array([t - start for t in scan.ticks if t >= start], np.int64))
    rate, constant = timing.find_rate(ticks, scan.tick, declared)
    if not slowest <= rate <= fastest:
        raise unreadable(
            file,
            f"claims {float(rate):,.0f} frames a second."
            if rate > 1
            else f"claims one frame in {float(1 / max(rate, slowest / 10**6)):,.0f} seconds.",
            f"From one in {1 / slowest} seconds to {fastest} a second are read.",
        )
    frames = len(ticks)
    if not constant:
        ends = int(ticks[-1]) + scan.last_shown
        frames = int(timing.frame_number(ends, scan.tick, rate))
        frames = max(frames, int(timing.frame_number(int(ticks[-1]), scan.tick, rate)) + 1)
    if frames > limits.FRAMES:
        raise _too_long(frames, file)
    return start, frames, rate, constant


def _too_long(frames: int, file: str | PathLike) -> RecamError:
    return unreadable(
        file,
        f"claims {frames:,} frames; at most {limits.FRAMES:,} are read.",
        "Is it whole? Else send it in parts.",
    )


def _span(seconds: Fraction) -> str:
    hours = abs(seconds) / 3600
    return (
        f"{float(hours / 24 / 365):,.0f} years" if hours > 17_520 else f"{float(hours):,.0f} hours"
    )


def _scan(file: str | PathLike, decode_all: bool, on_packet: OnPacket) -> _Scan:
    with open_file(file) as container:
        stream = picture_stream(container, file)
        decode, sound = Decoder(stream, file), sound_stream(container)
        first, ticks, last_shown = None, [], (0, 0)
        for packet in packets_of(container, stream, file, on_packet):
            if decode_all or first is None:
                good = [frame for frame in decode(packet) if frame is not None]
                first = first or next(iter(good), None)
                if decode_all:
                    ticks += [f.pts for f in good]
            if packet is not None and not packet.is_discard:
                if not decode_all:
                    ticks.append(packet.pts)
                if packet.pts is not None:
                    last_shown = max(last_shown, (packet.pts, packet.duration or 0))
            if len(ticks) > limits.FRAMES:
                raise _too_long(max(len(ticks), stream.frames), file)
        if first is None:
            raise unreadable(file, "holds no picture that can be decoded.")
        times = [t for t in ticks if t is not None]
        # VP8 hides reference frames in packets of their own.
        odd = stream.codec_context.name in ("vp8", "libvpx") or len(set(times)) < len(ticks)
        return _Scan(
            frame=first,
            ticks=ticks,
            misleading=odd or first.pts is None,
            tick=Fraction(stream.time_base),
            last_shown=last_shown[1],
            declared=[stream.guessed_rate, stream.average_rate, stream.base_rate],
            declared_frames=stream.frames,
            aspect=Fraction(stream.sample_aspect_ratio or 1),
            codec=stream.codec_context.name,
            has_alpha=stream.metadata.get("alpha_mode") == "1",
            has_audio=sound is not None,
            unheard=sound is None and bool(container.streams.audio),
        )


def orientation(frame: av.VideoFrame) -> tuple[int, bool]:
    """Degrees counter-clockwise that show the frame upright, and whether it is mirrored first.

    From the display matrix ``[a b; c d]`` of the file, to the nearest quarter turn: a mirrored
    picture has a negative determinant.
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5] / 65536
    mirrored = bool(a * d - b * c < 0)
    if mirrored:
        a, b = -a, -b
    return round(-np.degrees(np.arctan2(b, a)) / 90) % 4 * 90, mirrored
