"""Files whose headers say what is not so: sizes, counts, rates, times, places."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .parts import Case, avi, box, element, full, jpeg, jpeg_claiming, mkv, mp4, u32

MOST = 0xFFFFFFFF
LARGE = 30_000_000  # frames: more than are read, and few enough for FFmpeg to make room for


def lies(seeds: dict[str, bytes]) -> Iterator[Case]:
    """All of them."""
    yield from _mp4_tables()
    yield from _mp4_patches(seeds)
    yield from _fragments()
    yield from _matroska(seeds)
    yield from _avi()
    yield from _others(seeds)


def _mp4_tables() -> Iterator[Case]:
    samples = [jpeg()] * 8
    size = len(samples[0])

    def mov(name: str, refused: bool = False, **lie) -> Case:
        return Case(f"mov-{name}.mov", mp4(samples, **lie), refused)

    for count in (LARGE, 80_000_000, MOST):
        yield mov(f"stsz-{count}-alike", True, stsz=u32(1, count))
        yield mov(f"stsz-stts-stsc-{count}", True, stsz=u32(1, count), stts=u32(1, count, 1),
                  stsc=u32(1, 1, count, 1))  # fmt: skip
        yield mov(f"stsz-{count}-listed", True, stsz=u32(0, count, size, size))
        yield mov(f"stsc-{count}-in-each", True, stsc=u32(1, 1, count, 1), stsz=u32(size, count))
    yield mov("sizes-of-everything", stsz=u32(0, 8, *[MOST] * 8))
    yield mov("one-place-for-a-million", stsz=u32(size, 1_000_000), stsc=u32(1, 1, 1, 1),
              stco=u32(1_000_000, *[28] * 1_000_000), stts=u32(1, 1_000_000, 1))  # fmt: skip
    yield mov("places-beyond-the-end", True, stco=u32(8, *[0x7FFFFFF0] * 8))
    yield mov("places-before-the-start", stco=u32(8, *range(8)))
    yield mov("chunks-backwards", stsc=u32(3, 9, 1, 1, 5, 1, 1, 1, 1, 1))
    yield mov("no-time-passes", stts=u32(1, 8, 0))
    yield mov("each-frame-for-years", stts=u32(1, 8, 0x7FFFFFFF), refused=True)
    yield mov("one-frame-for-years", stts=u32(3, 4, 1, 1, 0x7FFFFFFF, 3, 1), refused=True)
    yield mov("time-runs-backwards", stts=u32(1, 8, MOST - 3))
    yield mov("stts-of-4-thousand-million", stts=u32(1, MOST, 1))
    yield mov("stts-list-cut", stts=u32(MOST, 8, 1))
    yield mov("clock-stands", clock=0)
    yield mov("clock-of-4-thousand-million", clock=MOST)
    yield mov("clock-of-1", clock=1)
    yield mov("thousand-million-a-second", True, clock=1_000_000_000)
    for width, height in ((100_000, 2), (30_000, 30_000), (65_535, 65_535), (0, 0), (65_535, 1)):
        yield mov(f"says-{width}x{height}", width=width, height=height)
        picture = [jpeg_claiming(min(width, 65_535), min(height, 65_535))] * 3
        wrong = max(width, height) > 16_384
        yield Case(f"mov-is-{width}x{height}.mov", mp4(picture, width, height), wrong or not width)
        yield Case(f"mov-hides-{width}x{height}.mov", mp4(picture, 96, 64), wrong or not width)
    for name, edits in {
        "past": [(8, -0x7FFFFFFF, 65536)],
        "future": [(MOST, 0x7FFFFFFF, 65536)],
        "empty": [(0x7FFFFFFF, MOST, 65536), (8, 0, 65536)],
        "still": [(8, 0, 0)],
        "many": [(8, 0, 65536)] * 20_000,
        "reversed": [(8, 0, -65536)],
    }.items():
        listed = u32(len(edits), *[n for edit in edits for n in edit])
        yield mov(f"edits-{name}", edts=box(b"edts", full(b"elst", 0, listed)))
    many = box(b"edts", full(b"elst", 0, u32(40_000, *(8, 0, 65536) * 40_000)))
    yield Case(
        "mov-edits-times-frames.mov",
        mp4(samples, edts=many, stsz=u32(1, 2_000), stco=u32(2_000, *[28] * 2_000),
            stts=u32(1, 2_000, 1)),
        True,
    )  # fmt: skip
    yield mov("edits-that-are-not-there", edts=box(b"edts", full(b"elst", 0, u32(MOST))))
    for across, down in ((65_535, 1), (1, 65_535), (0, 1), (MOST, MOST), (3, 2)):
        yield mov(f"pixels-{across}-to-{down}", entry=box(b"pasp", u32(across, down)))
    yield mov(
        "colours-unknown", entry=box(b"colr", b"nclx", struct.pack(">4H", 255, 255, 255, 255))
    )
    yield mov("ctts-huge", more=full(b"ctts", 0, u32(1, MOST, 0x7FFFFFFF)))
    yield mov("ctts-negative", more=full(b"ctts", 1 << 24, u32(2, 4, -0x7FFFFFFF, 4, 5)))
    yield mov("stss-lies", more=full(b"stss", 0, u32(3, 0, MOST, 77)))
    yield mov("handler-unknown", kind=b"junk")
    yield mov("codec-unknown", codec=b"Zzz9", refused=True)
    yield mov("codec-of-a-game", codec=b"SMJ2")
    yield mov("300-tracks", True, tracks=300)
    yield mov("compressed-table", True, beyond=box(b"cmov", box(b"dcom", b"zlib"),
              box(b"cmvd", u32(MOST), b"x\x9c")))  # fmt: skip
    sound = box(b"sowt", bytes(6) + b"\0\1" + bytes(8) + b"\0\2\0\x10" + bytes(4) + u32(1 << 16))
    yield Case("mov-sound-of-4-thousand-million.mov",
               mp4(samples, kind=b"soun", entry=sound, stsz=u32(1, MOST), stts=u32(1, MOST, 1),
                   stsc=u32(1, 1, MOST, 1)), True)  # fmt: skip
    hidden = box(b"udta", box(b"trun", u32(0, LARGE)), box(b"stsz", u32(0, 1, LARGE)))
    yield mov("hidden-in-a-box-beyond", True, beyond=hidden)


def _mp4_patches(seeds: dict[str, bytes]) -> Iterator[Case]:
    """One number of a real MP4 each."""
    for seed in ("h264.mp4", "hevc.mp4", "front.mp4"):
        for kind, at, value in (
            (b"moov", -4, MOST), (b"moov", -4, 0), (b"moov", -4, 1), (b"moov", -4, 9),
            (b"mdat", -4, MOST), (b"mdat", -4, 8), (b"trak", -4, MOST), (b"stbl", -4, 16),
            (b"stsd", 4, MOST), (b"stsd", -4, 12), (b"tkhd", 80, 30_000 << 16),
            (b"mdhd", 12, 1), (b"mdhd", 16, MOST), (b"mvhd", 12, 0), (b"mvhd", 16, MOST),
            (b"stsz", 12, MOST), (b"stco", 4, MOST), (b"elst", 12, MOST),
            (b"avcC", 0, 0xFFFFFFFF), (b"avcC", 6, 0xFFFF67FF), (b"hvcC", 20, 0xFFFFFFFF),
            (b"esds", 4, MOST), (b"ftyp", -4, 0), (b"hdlr", 8, 0),
        ):  # fmt: skip
            data = seeds[seed]
            if (found := data.find(kind)) >= 0:
                place = found + (at if at < 0 else 4 + at)
                changed = data[:place] + u32(value) + data[place + 4 :]
                yield Case(f"mp4-{kind.decode()}{at:+}-{value}-{seed}", changed)


def _fragments() -> Iterator[Case]:
    extends = box(b"mvex", full(b"trex", 0, u32(1, 1, 1, 1, 0)))
    empty = {"stsz": u32(0, 0), "stts": u32(0), "stsc": u32(0), "stco": u32(0)}
    start = mp4([jpeg()] * 4, beyond=extends, **empty)
    header = full(b"tfhd", 0x20000, u32(1))
    for count in (LARGE, MOST):
        run = box(b"traf", header, full(b"trun", 0, u32(count)))
        yield Case(f"mov-run-of-{count}.mov", start + box(b"moof", run), True)
        runs = [full(b"trun", 0, u32(count // 100))] * 120
        many = start + box(b"moof", box(b"traf", header, *runs))
        yield Case(f"mov-runs-of-{count}.mov", many, True)
    moofs = box(b"moof", box(b"traf", header, full(b"trun", 1, u32(3, 28)))) * 3_000
    yield Case("mov-3000-fragments-in-one-place.mov", start + moofs)
    deep = full(b"trun", 0, u32(LARGE))
    for _ in range(60):
        deep = box(b"traf", deep)
    yield Case("mov-boxes-60-deep.mov", start + box(b"moof", deep), True)


def _matroska(seeds: dict[str, bytes]) -> Iterator[Case]:
    samples = [jpeg()] * 6

    def case(name: str, refused: bool = False, **lie) -> Case:
        return Case(f"mkv-{name}.mkv", mkv(samples, **lie), refused)

    for scale in (0, 1, 1 << 40, (1 << 63) - 1):
        yield case(f"scale-{scale}", scale=scale, refused=scale >= 1 << 40)
    yield case("jumps-by-years", True, times=[0, 40, 80, 10**12, 10**12 + 40, 10**12 + 80])
    yield case("jumps-by-a-day", times=[0, 40, 80, 86_400_000, 86_400_040, 86_400_080])
    yield case("starts-in-the-year-292277026596", times=[(1 << 62) + 40 * n for n in range(6)])
    yield case("starts-in-1970", times=[1_700_000_000_000 + 40 * n for n in range(6)])
    yield case("all-at-once", times=[0] * 6)
    yield case("backwards", times=[200 - 40 * n for n in range(6)])
    yield case("thousand-million-a-second", True, scale=1, times=list(range(6)))
    yield case("one-in-a-year", True, times=[31_536_000_000 * n for n in range(6)])
    for width, height in ((100_000, 2), (30_000, 30_000), (1 << 40, 1), (0, 0)):
        yield case(f"says-{width}x{height}", width=width, height=height)
    yield case("shows-1x1000000000", video=element(0x54B0, 1) + element(0x54BA, 1_000_000_000))
    yield case("shows-65535x1", video=element(0x54B0, 65_535) + element(0x54BA, 1))
    yield case("frame-every-0-ns", track=element(0x23E383, 0))
    yield case("frame-every-600-years", track=element(0x23E383, (1 << 64) - 1))
    colours = b"".join(element(name, (1 << 40) + 5) for name in (0x55B1, 0x55BA, 0x55BB, 0x55B9))
    yield case("colours-unknown", video=element(0x55B0, colours))
    yield case("lasts-for-ever", info=element(0x4489, 1e300))
    yield case("lasts-not-a-number", info=element(0x4489, float("nan")))
    yield case("segment-of-0-bytes", segment_size=0)
    yield case("segment-of-petabytes", segment_size=(1 << 55) - 1)
    yield case("300-tracks", tracks=300)
    elsewhere = "../elsewhere/secret.mp4"
    linked = [
        *(
            element(0x73A4, b"\1" * 16),
            element(0x3CB923, b"\2" * 16),
            element(0x3EB923, b"\3" * 16),
        ),
        *(element(0x3C83AB, elsewhere), element(0x3E83BB, elsewhere)),
    ]
    yield case("linked-to-others", info=b"".join(linked))
    deep = element(0x67C8, element(0x45A3, "a"), element(0x4487, "b"))
    for _ in range(3_000):
        deep = element(0x67C8, element(0x45A3, "a"), deep)
    tags = element(0x1254C367, element(0x7373, element(0x63C0), deep))
    yield case("tags-3000-deep", before=tags)
    chapters = element(0x80, element(0x85, "x"))
    for _ in range(500):
        chapters = element(0xB6, element(0x73C4, 1), element(0x91, 0), chapters)
    yield case("chapters-500-deep", before=element(0x1043A770, element(0x45B9, chapters)))
    seek = element(0x4DBB, element(0x53AB, b"\x11\x4d\x9b\x74"), element(0x53AC, 0))
    yield case("seeks-to-itself", before=element(0x114D9B74, *[seek] * 50))
    font = element(0x61A7, element(0x466E, "a.ttf"), element(0x465C, bytes(100), size=1 << 40))
    yield case("attachment-of-a-terabyte", before=element(0x1941A469, font))
    packed = element(0x6D80, element(0x6240, element(0x5034, element(0x4254, 0))))
    yield case("packed-but-not", True, track=packed)
    data = seeds["h264.mkv"]
    for at in range(40, 400, 36):
        yield Case(
            f"mkv-size-at-{at}.mkv", data[:at] + b"\x01" + b"\xff" * 6 + b"\xfe" + data[at + 8 :]
        )


def _avi() -> Iterator[Case]:
    samples = [jpeg()] * 6

    def case(name: str, refused: bool = False, **lie) -> Case:
        return Case(f"avi-{name}.avi", avi(samples, **lie), refused)

    for rate, scale in ((1_000_000_000, 1), (1, 1_000_000_000), (0, 0), (0, 1), (MOST, MOST)):
        yield case(
            f"rate-{rate}-{scale}", max(rate, scale) == 1_000_000_000, rate=rate, scale=scale
        )
    for width, height in ((100_000, 2), (30_000, 30_000), (-5, -5), (0x7FFFFFFF, 0x7FFFFFFF)):
        yield case(f"says-{width}x{height}", width=width, height=height)
    yield case("4-thousand-million-frames", length=MOST)
    entry = struct.pack("<4sIII", b"00dc", 16, 0x7FFFFFF0, MOST)
    yield case("index-beyond-the-end", index=b"idx1" + struct.pack("<I", 1600) + entry * 100)
    yield case("index-cut", index=b"idx1" + struct.pack("<I", MOST) + entry)
    loop = (
        struct.pack("<HBBI4s3I", 4, 0, 0, 2, b"00dc", 0, 0, 0) + struct.pack("<QII", 150, 99, 9) * 2
    )
    yield case("index-of-itself", header=b"indx" + struct.pack("<I", len(loop)) + loop)
    yield Case("avi-picture-hides-60000x60000.avi", avi([jpeg_claiming(60_000, 60_000)] * 3), True)
    yield Case("avi-grows-on-the-way.avi", avi([jpeg(), jpeg(), jpeg(512, 300), jpeg()]))
    bomb = avi([*[jpeg()] * 4, *[jpeg_claiming(65_000, 65_000)] * 4])
    yield Case("avi-bursts-on-the-way.avi", bomb)
    yield Case("avi-100000-empty-frames.avi", avi([*samples, *[b""] * 100_000]))
    yield Case("avi-20000-damaged-frames.avi", avi([b"\xff\xd8\xff\xc0nothing"] * 20_000), True)


def _others(seeds: dict[str, bytes]) -> Iterator[Case]:
    for width, height in ((100_000, 2), (30_000, 30_000), (2_000_000_000, 2_000_000_000), (0, 5)):
        head = f"YUV4MPEG2 W{width} H{height} F25:1 C420\nFRAME\n".encode()
        yield Case(f"y4m-says-{width}x{height}.y4m", head + bytes(50_000), True)
    for rate in ("1000000000:1", "1:1000000000", "0:0", "1:0", "-5:1"):
        changed = seeds["raw.y4m"].replace(b"F25:1", f"F{rate}".encode())
        yield Case(f"y4m-rate-{rate.replace(':', '-')}.y4m", changed)
    aspect = seeds["raw.y4m"].replace(b"F25:1", b"F25:1 A65535:1")
    yield Case("y4m-pixels-65535-1.y4m", aspect)
    gif = seeds["picture.gif"]
    yield Case("gif-says-65535x65535.gif", gif[:6] + b"\xff" * 4 + gif[10:], True)
    apng = seeds["picture.apng"]
    at = apng.index(b"IHDR") + 4
    yield Case("apng-says-30000x30000.apng", apng[:at] + u32(30_000, 30_000) + apng[at + 8 :])
    ivf = b"DKIF\0\0 \0VP80" + struct.pack("<HHIII", 65_535, 65_535, 10**9, 1, MOST) + bytes(4)
    frame = b"\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(60)
    record = struct.pack("<IQ", len(frame), 0) + frame
    yield Case("ivf-says-65535x65535.ivf", ivf + record * 3, True)
    for kind, offset in (("mxf", 0x20), ("flv", 5), ("ts", 4), ("nut", 40), ("mpg", 4)):
        name = next(seed for seed in seeds if seed.endswith(f".{kind}"))
        data = seeds[name]
        yield Case(
            f"{kind}-full-of-ones-{name}", data[:offset] + b"\xff" * 64 + data[offset + 64 :]
        )
