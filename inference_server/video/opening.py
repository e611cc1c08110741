"""Open a file as a clip, and nothing but that file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from os import PathLike, path
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from shared.errors import RecamError

from . import limits
from .contents import claims_too_much
from .kinds import CONTAINERS, CUT, PICTURES, SOUNDS, other_kind

HINT = "Give a video file that plays, such as .mp4, .mov, .mkv or .webm."
DAMAGED = "Is it whole? Export it again."
TOO_LARGE = (
    f"At most {limits.SIDE:,} pixels a side and {limits.PIXELS // 10**6} million in all are read."
)

_ALONE = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(sorted(CONTAINERS)),
    "enable_drefs": "0",  # an MP4 may keep its pictures in a file that it names
    "use_absolute_path": "0",
    "max_streams": str(limits.STREAMS),
}
# FFmpeg keeps so many bytes of packets to find out about the streams, and 270 for each besides:
# 5 MB of packets of a byte are 1.3 GB. Where there is a header, less will do.
_PROBED = {"probesize": "1500000"}
_HEADED = ("mov", "matroska", "avi", "flv", "nut", "ivf", "mxf", "asf", "gxf")
_CODECS = ",".join(sorted(PICTURES | SOUNDS))
_MAX_PIXELS = {"max_pixels": str(limits.PIXELS * 101 // 100)}  # whole blocks pass the edges
_COVER = av.stream.Disposition.attached_pic


# Called while a file is read, which may take long: tells who waits, or ends it by raising.
OnPacket = Callable[[], None]


def unreadable(file: str | PathLike, why: str, hint: str = HINT) -> RecamError:
    """The error for a file that is no clip, naming it without its folder."""
    return RecamError("clip_unreadable", f"{Path(file).name} {why}", hint)


def open_file(file: str | PathLike) -> InputContainer:
    """Open one local file. What it refers to (a playlist's entries, addresses) is never opened.

    What the file says of itself is read first, with no decoder at all, and held against
    ``limits``. Raises RecamError ``clip_unreadable``, naming the file.
    """
    if path.isdir(file):
        raise unreadable(file, "is a folder, not a video file.")
    if not path.exists(file):
        raise unreadable(file, "does not exist.", "Check the clip's path.")
    if not path.isfile(file):
        raise unreadable(file, "is a device or a pipe, not a video file.")
    if path.getsize(file) == 0:
        raise unreadable(file, "is empty.", "Save or copy the clip again.")
    try:
        if why := claims_too_much(file):
            raise unreadable(file, why, DAMAGED)
        # With "file:" in front, a colon in the name cannot be taken for a protocol.
        name = f"file:{path.abspath(file)}"
        with _open(name, {}, {"codec_whitelist": "none", "fflags": "nobuffer", **_PROBED}) as seen:
            _check(seen, file)
            headed = seen.format.name.startswith(_HEADED)
        whole = {"codec_whitelist": _CODECS, **(_PROBED if headed else {})}
        return _open(name, _MAX_PIXELS, whole)
    except PermissionError as error:
        raise unreadable(file, "may not be read by this user.", "Check its permissions.") from error
    except av.error.ExitError as error:
        raise _endless(file) from error
    except av.error.MemoryError as error:
        raise unreadable(file, "asks for far more than a clip needs.", DAMAGED) from error
    except (av.FFmpegError, OSError, ValueError) as error:
        with open(file, "rb") as source:
            why = other_kind(source.read(4096))
        raise unreadable(file, why, "Copy or export it again." if why == CUT else HINT) from error


def _open(name: str, options: dict, container_options: dict) -> InputContainer:
    return av.open(
        name,
        options=options,
        container_options={**_ALONE, **container_options},
        metadata_errors="replace",
        timeout=limits.READ_SECONDS,
    )


def _endless(file: str | PathLike) -> RecamError:
    return unreadable(
        file, f"could not be read on within {limits.READ_SECONDS:.0f} seconds.", DAMAGED
    )


def _check(container: InputContainer, file: str | PathLike) -> None:
    """Refuse streams that ask for too much before a decoder makes room for them."""
    pixels = 0
    for stream in container.streams.video:
        if stream.codec_context is None:
            continue
        width, height = stream.codec_context.width, stream.codec_context.height
        check_size(width, height, file)
        pixels += width * height
    if pixels > limits.PIXELS:
        raise unreadable(
            file, f"holds several videos of {pixels / 1e6:,.0f} million pixels in all.", TOO_LARGE
        )


def check_size(width: int, height: int, file: str | PathLike) -> None:
    """Refuse a picture that is too large. Pixels."""
    if max(width, height) > limits.SIDE or width * height > limits.PIXELS:
        raise unreadable(file, f"claims pictures of {width:,} x {height:,} pixels.", TOO_LARGE)


def picture_stream(container: InputContainer, file: str | PathLike) -> VideoStream:
    """The container's main moving picture, to be decoded by all cores.

    Raises RecamError ``clip_unreadable`` for sound alone and codecs that are not read.
    """
    streams = [s for s in container.streams.video if not s.disposition & _COVER]
    if not streams:
        what = "has sound but no picture." if container.streams.audio else "holds no video."
        raise unreadable(file, what)
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    context = stream.codec_context
    if context is None or context.name not in PICTURES:
        raise unreadable(file, "has a video codec that is not read here.", "Export it as H.264.")
    context.options = _MAX_PIXELS
    context.thread_type = "AUTO"
    most = limits.DECODING // max(1, context.width * context.height)
    if most < 16:  # FFmpeg takes no more of itself
        context.thread_count = max(1, most)
    return stream


def sound_stream(container: InputContainer) -> AudioStream | None:
    """The container's main sound; None if it has none, or none that can be decoded here."""
    stream = container.streams.best("audio")
    if stream is None or stream.codec_context is None:
        return None
    context = stream.codec_context
    fits = sound_fits(context.rate or 0, context.layout.nb_channels)
    return stream if fits and context.name in SOUNDS else None


def sound_fits(rate: int, channels: int) -> bool:
    """Whether sound of so many samples a second and channels is read."""
    slowest, fastest = limits.SOUND_RATES
    return slowest <= rate <= fastest and 1 <= channels <= limits.CHANNELS


def packets_of(
    container: InputContainer,
    stream: Stream,
    file: str | PathLike,
    on_packet: OnPacket = lambda: None,
) -> Iterator[Packet | None]:
    """The stream's packets up to the file's end or to where it can't be read on; then None.

    on_packet is called with each: what it raises ends the reading.
    Raises RecamError ``clip_unreadable`` where they are more than such a file can hold.
    """
    for other in container.streams:  # dropped by the demuxer, unread where it can
        other.discard = av.stream.Discard.default if other is stream else av.stream.Discard.all
    packets, count, size = container.demux(stream), 0, 0
    most = limits.read_bytes(path.getsize(file))
    while True:
        try:
            packet = next(packets)
        except av.error.ExitError as error:
            raise _endless(file) from error
        except (StopIteration, av.FFmpegError):
            packet = None
        if packet is None or (packet.dts is None and not packet.size):
            yield None
            return
        on_packet()
        count, size = count + 1, size + packet.size
        if count > limits.PACKETS or size > most:
            raise unreadable(file, "gives more than a file of its size can hold.", DAMAGED)
        if packet.size:
            yield packet
