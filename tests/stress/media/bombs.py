"""Small files that would become large, or long: and things that are no videos at all."""

from __future__ import annotations

import gzip
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from .parts import Case, avi, box, element, full, jpeg, mkv, mp4, png_bomb, u32

MB = 1024**2


def bombs(seeds: dict[str, bytes]) -> Iterator[Case]:
    """All of them, the small ones first; the largest has 150 MB."""
    picture = jpeg()
    yield from _sounds(picture)
    yield from _many_streams(seeds, picture)
    for side in (4_000, 16_000):
        png = png_bomb(side, side)
        yield Case(f"png-{side}.mkv", _png_mkv(png, side), side > 12_000)
        yield Case(f"png-{side}-hides.mkv", _png_mkv(png, 96), side > 12_000)
    yield Case("300000-empty-frames.avi", avi([picture, *[b""] * 300_000]))
    yield Case("1200000-frames-of-a-byte.avi", avi([picture, *[b"\0"] * 1_200_000]), True)
    laced = b"\x81\0\0\x84\xff" + bytes(256)  # 256 frames of a byte, in one block
    cluster = element(0x1F43B675, element(0xE7, 0), element(0xA3, laced)) * 20_000
    yield Case("5000000-laced-frames.mkv", mkv([picture]) + cluster)
    yield Case(
        "50000-clusters.mkv", mkv([picture] * 4) + element(0x1F43B675, element(0xE7, 9)) * 50_000
    )
    text = b"x" * (16 * MB)
    tag = element(0x7373, element(0x67C8, element(0x45A3, b"COMMENT"), element(0x4487, text)))
    yield Case("tags-of-64-MB.mkv", mkv([picture] * 4, before=element(0x1254C367, tag * 4)))
    small = element(0x67C8, element(0x45A3, b"C"), element(0x4487, b"x"))
    many = element(0x1254C367, element(0x7373, small * 100_000))
    yield Case("100000-tags.mkv", mkv([picture] * 4, before=many))
    fonts = element(0x61A7, element(0x466E, "a.ttf"), element(0x465C, bytes(16 * MB)))
    yield Case(
        "attachments-of-64-MB.mkv", mkv([picture] * 4, before=element(0x1941A469, fonts * 4))
    )
    note = box(b"udta", box(b"\xa9cmt", struct.pack(">HH", 65_000, 0), b"x" * 65_000)) * 800
    yield Case("notes-of-50-MB.mov", mp4([picture] * 4, beyond=note))
    yield Case("table-of-150-MB.mov", mp4([picture], beyond=box(b"free", bytes(150 * MB))), True)
    yield Case("reserved-150-MB.mov", box(b"free", bytes(150 * MB)) + mp4([picture] * 4))
    yield Case("100000-boxes.mov", mp4([picture] * 4) + box(b"uuid", bytes(16)) * 100_000)
    deep = b""
    for _ in range(20_000):
        deep = box(b"udta", deep) if len(deep) < 8 * MB else deep
    yield Case("boxes-20000-deep.mov", mp4([picture] * 4, beyond=deep))
    yield Case("zlib-of-a-gigabyte.mkv", _packed(picture))


def others() -> Iterator[Case]:
    """What an artist, or somebody else, might send in place of a clip."""
    rng, packed = random.Random(9), BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clip.mp4", bytes(MB))
    things = {
        "letter.mp4": b"Dear reader,\n" * 400,
        "page.mp4": b"<html><body><video src='secret.mp4'></body></html>" * 20,
        "archive.mp4": packed.getvalue(),
        "archive.mov": gzip.compress(bytes(MB)),
        "program.mp4": b"MZ\x90\0" + rng.randbytes(4_000),
        "program.mkv": b"\x7fELF\2\1\1" + rng.randbytes(4_000),
        "pickle.mp4": pickle.dumps({"clip": list(range(1_000))}),
        "python.mp4": b"import os\nos.system('true')\n" * 20,
        "document.mp4": b"%PDF-1.7\n" + rng.randbytes(4_000),
        "scene.mp4": b"BLENDER-v405" + rng.randbytes(4_000),
        "noise.mp4": rng.randbytes(100_000),
        "noise.mpg": rng.randbytes(100_000),
        "nothing.mp4": b"",
        "one-byte.mp4": b"\0",
        "zeros.mp4": bytes(100_000),
        "ones.mp4": b"\xff" * 100_000,
        "photograph.mp4": jpeg(),
        "picture.mov": png_bomb(64, 64),
        "photograph.heic": box(b"ftyp", b"heic", bytes(4), b"mif1heic") + bytes(4_000),
        "sound.mp4": b"RIFF" + struct.pack("<I", 1_036) + b"WAVEfmt \x10\0\0\0\1\0\1\0"
        + struct.pack("<IIHH", 48_000, 96_000, 2, 16) + b"data\xe8\3\0\0" + bytes(1_000),
        "song.mp4": b"ID3\4\0\0\0\0\0\0" + b"\xff\xfb\x90\x64" + bytes(413),
        "no-frames.mov": mp4([]),
        "no-tracks.mov": mp4([], tracks=0),
        "no-frames.mkv": mkv([]),
        "no-frames.avi": avi([]),
        "no-frames.y4m": b"YUV4MPEG2 W96 H64 F25:1 C420\n",
        "head-alone.mp4": box(b"ftyp", b"isom", bytes(4), b"isom"),
        "subtitles.mp4": b"1\n00:00:00,000 --> 00:00:01,000\nhello\n\n" * 50,
        "flash.mp4": b"FWS\x06" + rng.randbytes(4_000),
        "real.mp4": b".RMF\0\0\0\x12" + rng.randbytes(4_000),
        "game.mp4": b"SMK2" + u32(96, 64, 12) + rng.randbytes(4_000),
        "text-screen.mp4": b"\x1b[31mhello\x1b[0m\r\n" * 200,
    }  # fmt: skip
    for name, data in things.items():
        yield Case(name, data, True)


def _png_mkv(png: bytes, side: int) -> bytes:
    fourcc = struct.pack("<IiiHH4sIIIII", 40, side, side, 1, 24, b"MPNG", 0, 0, 0, 0, 0)
    return mkv([png], side, side, track=element(0x63A2, fourcc), codec="V_MS/VFW/FOURCC")


def _packed(picture: bytes) -> bytes:
    """A Matroska block that zlib would make a gigabyte of."""
    packer = zlib.compressobj(9)
    block = b"".join(packer.compress(bytes(MB)) for _ in range(1_000)) + packer.flush()
    packing = element(0x6D80, element(0x6240, element(0x5034, element(0x4254, 0))))
    return mkv([block] * 8, track=packing)


def _sounds(picture: bytes) -> Iterator[Case]:
    """Beside the pictures, sound of rates and channels that nobody hears."""
    for rate, channels, bits in (
        (1, 1, 8), (2_000_000_000, 1, 16), (48_000, 65_535, 16), (48_000, 0, 16), (0, 2, 16),
        (48_000, 255, 8), (44_100, 2, 65_535), (100, 8, 8),
    ):  # fmt: skip
        frame = (channels * bits // 8) & 0xFFFF
        wave = struct.pack("<HHIIHH", 1, channels, rate, (rate * frame) & 0xFFFFFFFF, frame, bits)
        track = element(
            0xAE,
            element(0xD7, 2),
            element(0x83, 2),
            element(0x86, "A_MS/ACM"),
            element(0x63A2, wave),
            element(
                0xE1, element(0xB5, float(rate)), element(0x9F, channels), element(0x6264, bits)
            ),
        )
        data = element(0x1F43B675, element(0xE7, 0), element(0xA3, b"\x82\0\0\x80", bytes(MB)))
        whole = mkv([picture] * 6, more=track) + data * 4
        yield Case(f"sound-of-{rate}-hz-{channels}-channels-{bits}-bits.mkv", whole)


def _many_streams(seeds: dict[str, bytes], picture: bytes) -> Iterator[Case]:
    yield Case("2000-tracks.mkv", mkv([picture] * 4, tracks=2_000))
    large = jpeg(4_000, 4_000)
    yield Case("100-large-videos.mov", mp4([large], 4_000, 4_000, tracks=100), True)
    yield Case("100-large-videos.mkv", mkv([large], 4_000, 4_000, tracks=100), True)
    packets = bytearray(seeds["h264.ts"])
    for number, at in enumerate(range(0, len(packets) - 188, 188)):
        packets[at + 1 : at + 3] = struct.pack(">H", 0x4000 | (100 + number))
    yield Case("a-stream-in-each-packet.ts", bytes(packets) * 40)
    program = bytes(packets[:188])
    yield Case("100000-times-one-packet.ts", program * 100_000)
    extends = box(b"mvex", full(b"trex", 0, u32(1, 1, 1, 1, 0)))
    yield Case("50-headers.mov", mp4([picture] * 2, beyond=extends) * 50)
