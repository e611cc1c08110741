"""Open a file as a clip, and nothing but that file."""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike, path
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from shared.errors import RecamError

HINT = "Give a video file that plays, such as .mp4, .mov, .mkv or .webm."

# Readers of these formats open further files or addresses, or take plain text for a picture.
_NOT_CLIPS = {
    *("hls", "dash", "concat", "imf", "webm_dash_manifest", "sdp", "rtsp", "rtp", "sap"),
    *("lavfi", "image2", "image2pipe", "vobsub", "ffmetadata", "tty", "bin", "xbin", "adf", "idf"),
}
_STILLS = {"ico", "svg_pipe", "fits"}


def unreadable(file: str | PathLike, why: str, hint: str = HINT) -> RecamError:
    """The error for a file that is no clip, naming it without its folder."""
    return RecamError("clip_unreadable", f"{Path(file).name} {why}", hint)


def open_file(file: str | PathLike) -> InputContainer:
    """Open one local file. What it refers to (a playlist's entries, addresses) is never opened.

    Raises RecamError ``clip_unreadable``, naming the file.
    """
    if path.isdir(file):
        raise unreadable(file, "is a folder, not a video file.")
    if not path.exists(file):
        raise unreadable(file, "does not exist.", "Check the clip's path.")
    if path.getsize(file) == 0:
        raise unreadable(file, "is empty.", "Save or copy the clip again.")
    allowed = sorted(av.formats_available - _NOT_CLIPS)
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(allowed)}
    try:
        # With "file:" in front, a colon in the name cannot be taken for a protocol.
        name = f"file:{path.abspath(file)}"
        return av.open(name, container_options=options, metadata_errors="replace")
    except PermissionError as error:
        raise unreadable(file, "may not be read by this user.", "Check its permissions.") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise unreadable(file, "is not a video file that can be opened.") from error


def picture_stream(container: InputContainer, file: str | PathLike) -> VideoStream:
    """The container's main moving picture, to be decoded by all cores.

    Raises RecamError ``clip_unreadable`` for stills, sound alone and unknown codecs.
    """
    name = container.format.name
    if name.endswith("_pipe") or name in _STILLS:
        raise unreadable(file, "is a still picture, not a clip.")
    cover = av.stream.Disposition.attached_pic
    streams = [s for s in container.streams.video if not s.disposition & cover]
    if not streams:
        what = "has sound but no picture." if container.streams.audio else "holds no video."
        raise unreadable(file, what)
    best = container.streams.best("video")
    stream = best if best in streams else streams[0]
    if stream.codec_context is None:
        raise unreadable(file, "has a video codec that is not known here.")
    stream.thread_type = "AUTO"
    return stream


def packets_of(container: InputContainer, stream: Stream) -> Iterator[Packet | None]:
    """The stream's packets up to the file's end or to where it can't be read on; then None."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            packet = None
        if packet is None or (packet.dts is None and not packet.size):
            yield None
            return
        if packet.size:
            yield packet
