"""The bricks of containers: MP4's boxes, Matroska's elements, AVI's chunks; and a case's shape."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import cv2
import numpy as np

UNITY = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
LINK_HERE = struct.pack(">I4sI", 12, b"url ", 1)  # the samples are in this very file


@dataclass(frozen=True)
class Case:
    """One file to be read. refused: nothing else than an error will do."""

    name: str
    data: bytes
    refused: bool = False


def u32(*numbers: int) -> bytes:
    return b"".join(struct.pack(">I", number & 0xFFFFFFFF) for number in numbers)


def box(kind: bytes, *parts: bytes, size: int | None = None) -> bytes:
    body = b"".join(parts)
    return u32(8 + len(body) if size is None else size) + kind + body


def full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    return box(kind, u32(flags), *parts)


def jpeg(width: int = 96, height: int = 64) -> bytes:
    grain = np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return cv2.imencode(".jpg", grain)[1].tobytes()


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header says another size."""
    picture = jpeg()
    at = picture.index(b"\xff\xc0") + 5
    return picture[:at] + struct.pack(">HH", height, width) + picture[at + 4 :]


def mp4(
    samples: list[bytes],
    width: int = 96,
    height: int = 64,
    clock: int = 25,
    stts: bytes | None = None,
    stsz: bytes | None = None,
    stsc: bytes | None = None,
    stco: bytes | None = None,
    edts: bytes = b"",
    dref: bytes = LINK_HERE,
    entry: bytes = b"",
    kind: bytes = b"vide",
    codec: bytes = b"jpeg",
    more: bytes = b"",
    tracks: int = 1,
    beyond: bytes = b"",
) -> bytes:
    """A MOV of JPEGs with one table or another in place of the true one; ``stsz`` and the others
    are what follows version and flags. more: into the sample table. beyond: after the tracks."""
    count = len(samples)
    head = box(b"ftyp", b"qt  ", bytes(4), b"qt  ") + box(b"mdat", *samples)
    offset = 20 + 8
    offsets = []
    for sample in samples:
        offsets.append(offset)
        offset += len(sample)
    visual = box(
        codec,
        bytes(6) + b"\0\x01" + bytes(16) + struct.pack(">HH", width & 65535, height & 65535),
        u32(0x480000, 0x480000, 0) + b"\0\x01" + bytes(32) + struct.pack(">Hh", 24, -1),
        entry,
    )
    if kind == b"soun":
        visual = entry
    table = box(
        b"stbl",
        full(b"stsd", 0, u32(1), visual),
        full(b"stts", 0, stts or u32(1, count, 1)),
        full(b"stsc", 0, stsc or u32(1, 1, 1, 1)),
        full(b"stsz", 0, stsz or u32(0, count, *map(len, samples))),
        full(b"stco", 0, stco or u32(count, *offsets)),
        more,
    )
    media = box(
        b"mdia",
        full(b"mdhd", 0, u32(0, 0, clock, count), bytes(4)),
        full(b"hdlr", 0, b"mhlr", kind, bytes(13)),
        box(
            b"minf",
            full(b"vmhd", 1, bytes(8)),
            box(b"dinf", full(b"dref", 0, u32(1), dref)),
            table,
        ),
    )
    track = b"".join(
        box(
            b"trak",
            full(
                b"tkhd", 7, u32(0, 0, number + 1, 0, count), bytes(16), UNITY,
                u32(width << 16, height << 16),
            ),
            edts,
            media,
        )
        for number in range(tracks)
    )  # fmt: skip
    clock_box = full(
        b"mvhd", 0, u32(0, 0, clock, count, 65536), b"\1\0", bytes(10), UNITY, bytes(24), u32(2)
    )
    return head + box(b"moov", clock_box, track, beyond)


def element(name: int, *parts: bytes | int | float | str, size: int | None = None) -> bytes:
    """A Matroska element; size: another than its own; -1 for "unknown"."""
    body = b"".join(map(_plain, parts))
    length = len(body) if size is None else size
    said = b"\x01" + b"\xff" * 7 if size == -1 else (1 << 56 | length).to_bytes(8)
    return name.to_bytes((name.bit_length() + 7) // 8) + said + body


def _plain(part: bytes | int | float | str) -> bytes:
    if isinstance(part, int):
        return part.to_bytes(8)
    if isinstance(part, float):
        return struct.pack(">d", part)
    return part.encode() if isinstance(part, str) else part


def mkv(
    samples: list[bytes],
    width: int = 96,
    height: int = 64,
    scale: int = 1_000_000,
    times: list[int] | None = None,
    video: bytes = b"",
    track: bytes = b"",
    info: bytes = b"",
    before: bytes = b"",
    tracks: int = 1,
    codec: str = "V_MJPEG",
    more: bytes = b"",
    segment_size: int | None = -1,
) -> bytes:
    """A Matroska file of JPEGs, one cluster each; times: in units of ``scale`` nanoseconds.
    more: tracks beside it."""
    times = times or [40 * number for number in range(len(samples))]
    head = element(0x1A45DFA3, element(0x4282, "matroska"), element(0x4287, 4))
    entries = b"".join(
        element(
            0xAE,
            element(0xD7, number + 1),
            element(0x73C5, number + 1),
            element(0x83, 1),
            element(0x86, codec),
            element(0xE0, element(0xB0, width), element(0xBA, height), video),
            track,
        )
        for number in range(tracks)
    )
    clusters = b"".join(
        element(0x1F43B675, element(0xE7, time), element(0xA3, b"\x81\0\0\x80", sample))
        for time, sample in zip(times, samples, strict=True)
    )
    whole = element(0x1549A966, element(0x2AD7B1, scale), info)
    return head + element(
        0x18538067, whole, before, element(0x1654AE6B, entries, more), clusters, size=segment_size
    )


def chunk(kind: bytes, body: bytes, size: int | None = None) -> bytes:
    said = len(body) if size is None else size
    return kind + struct.pack("<I", said) + body + b"\0" * (len(body) % 2)


def avi(
    samples: list[bytes],
    width: int = 96,
    height: int = 64,
    rate: int = 25,
    scale: int = 1,
    index: bytes = b"",
    header: bytes = b"",
    length: int | None = None,
) -> bytes:
    """An AVI of JPEGs; header: more chunks for the stream's list."""
    count = len(samples) if length is None else length
    numbers = (40_000, 0, 0, 16, count, 0, 1, 0, width & 0xFFFFFFFF, height & 0xFFFFFFFF, *[0] * 4)
    strh = b"vidsMJPG" + struct.pack("<10I", 0, 0, 0, scale, rate, 0, count, 0, 0, 0) + bytes(8)
    strf = struct.pack("<IiiHH4sIIIII", 40, width, height, 1, 24, b"MJPG", 0, 0, 0, 0, 0)
    stream = chunk(b"LIST", b"strl" + chunk(b"strh", strh) + chunk(b"strf", strf) + header)
    hdrl = chunk(b"LIST", b"hdrl" + chunk(b"avih", struct.pack("<14I", *numbers)) + stream)
    movi = chunk(b"LIST", b"movi" + b"".join(chunk(b"00dc", sample) for sample in samples))
    return chunk(b"RIFF", b"AVI " + hdrl + movi + index)


def png_bomb(width: int, height: int) -> bytes:
    """A whole PNG of one colour: a few KB that become ``width * height * 3`` bytes."""

    def part(kind: bytes, body: bytes) -> bytes:
        return u32(len(body)) + kind + body + u32(zlib.crc32(kind + body))

    packer, packed = zlib.compressobj(9), io.BytesIO()
    row = bytes(1 + 3 * width)
    for _ in range(height):
        packed.write(packer.compress(row))
    packed.write(packer.flush())
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", packed.getvalue())
