"""How much a file may ask for before it is refused. Honest clips lie far below."""

from __future__ import annotations

from fractions import Fraction

SIDE = 16_384  # pixels of a picture's width or height: the H.264 of takes goes no further
PIXELS = 16_384 * 8_640  # of one picture: 16K; decoded 212 MB in 4:2:0, 425 MB in RGB
STREAMS = 128  # in one file: broadcast files have some dozens of sound tracks
FRAMES = 1_000_000  # of one file: eleven hours at 25 a second
PACKETS = 5_000_000  # of one file, all streams: a day's sound beside its pictures
SECONDS = 48 * 3600  # from a file's first frame to its last
START = 100 * 365 * 86400  # seconds from 0 to a file's first frame: some count from 1970
RATES = Fraction(1, 1000), Fraction(1000)  # frames per second, slowest and fastest
ASPECT = 16  # a pixel is at most so many times as wide as high, or as high as wide
CONTENTS = 128 * 1024**2  # bytes of an MP4's table of contents: 25 for each of PACKETS
EDITS = 20_000_000  # an MP4's edits times its samples, which FFmpeg may list anew for each edit
BARREN_PACKETS = 1_000  # damaged ones on end, without a picture: 40 seconds at 25 a second
BARREN_SECONDS = 30.0  # of decoding without a picture
READ_SECONDS = 60.0  # until the file's beginning, or its next packet, is found
SOUND_RATES = 1_000, 768_000  # samples per second; lower ones would swell when made 48,000
CHANNELS = 64  # of sound
DECODING = 2**29  # pixels that the decoder's threads hold at once, some 0.8 GB in 4:2:0
AHEAD = 2**29  # bytes of RGB pictures that wait, decoded, for the engine


def read_bytes(size: int) -> int:
    """Bytes of packets that a file of ``size`` bytes may give: frames that lie over each other
    would let a small one give without end."""
    return 2 * size + 64 * 1024**2
