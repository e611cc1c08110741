"""An MP4's table of contents, looked at before FFmpeg builds its index from it.

A box of twenty bytes may say that two thousand million frames follow; FFmpeg lists them all, in
gigabytes of memory, before the first is missed. Boxes are walked here as FFmpeg walks them, and
inside those that it descends into each table is found by its name, wherever it stands.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from . import limits

_DESCENDED = {
    *(b"moov", b"moof", b"trak", b"mdia", b"minf", b"stbl", b"traf", b"mvex", b"edts", b"dinf"),
    *(b"meta", b"udta", b"wave", b"hoov", b"mfra", b"tref", b"ilst", b"iprp", b"ipco", b"gmhd"),
}
_SIZED = 0x100 | 0x200 | 0x400 | 0x800  # a trun's flags: something is written for each sample
_PER_PACKET = 1_024  # samples of sound that FFmpeg puts into one packet, at least


def claims_too_much(file: str | os.PathLike) -> str:
    """The end of a sentence on a table of contents that cannot be true; empty if all is well.

    Any file may be given; one that is no MP4 or MOV has no boxes to be found. Reads the tables
    alone, at most ``limits.CONTENTS`` bytes at once.
    """
    size, samples, tracks = Path(file).stat().st_size, 0, 0
    with open(file, "rb") as source:
        for body in _bodies(source, size):
            if body is None:
                return f"has a table of contents of more than {limits.CONTENTS >> 20} MB."
            if b"dcom" in body and b"cmvd" in body:
                return "has a compressed table of contents, as QuickTime once wrote it."
            samples += sum(_count(body, at + 4) for at in _all(body, b"trun"))
            first, *spans = _spans(body)
            tracks += len(spans)
            for track in (first, *spans):
                found = _samples(track, size)
                if found < 0 or found * _edits(track) > limits.EDITS:
                    return "has a table of contents that contradicts itself."
                samples += found
            if samples > limits.PACKETS:
                return (
                    f"claims {samples:,} frames and pieces of sound; {limits.PACKETS:,} are read."
                )
            if tracks > limits.STREAMS:
                return f"holds {tracks} tracks; at most {limits.STREAMS} are read."
    return ""


def _bodies(source: BinaryIO, size: int) -> Iterator[bytes | None]:
    """The contents of each box on the top level that FFmpeg descends into; None: too large."""
    at = 0
    while at + 8 <= size:
        source.seek(at)
        head = source.read(24)
        length, kind, begin = int.from_bytes(head[:4]), head[4:8], at + 8
        if length == 1:
            length, begin = int.from_bytes(head[8:16]), at + 16
        elif length == 0:
            length = size - at
        if length < begin - at:
            return
        end = min(at + length, size)
        hidden = kind == b"free" and head[12:16] in (b"mvhd", b"cmov")
        if kind in _DESCENDED or hidden:
            if end - begin > limits.CONTENTS:
                yield None
                return
            source.seek(begin)
            yield source.read(end - begin)
        at += length


def _all(body: bytes, name: bytes) -> Iterator[int]:
    """Where what follows the name begins, for each time that it stands there."""
    at = body.find(name)
    while at >= 0:
        yield at + 4
        at = body.find(name, at + 4)


def _count(body: bytes, at: int) -> int:
    return int.from_bytes(body[at : at + 4])


def _spans(body: bytes) -> list[bytes]:
    """What comes before the first track, then each track."""
    starts = [0, *_all(body, b"trak"), len(body)]
    return [body[start:end] for start, end in pairwise(starts)]


def _samples(track: bytes, size: int) -> int:
    """How many packets FFmpeg would list for the track; -1 if its chunks cannot be in the file."""
    counts = [_count(track, at + 8) for at in _all(track, b"stsz")]
    counts += [_count(track, at + 8) for at in _all(track, b"stz2")]
    listed = max(counts, default=0)
    chunks = sum(_count(track, at + 4) for name in (b"stco", b"co64") for at in _all(track, name))
    chunks = min(chunks, len(track) // 4)
    held = max((_held(track, at, chunks) for at in _all(track, b"stsc")), default=0)
    if held > 2 * size + limits.PACKETS:
        return -1
    times = list(_all(track, b"stts"))
    ones = all(_count(track, at + 4) == _count(track, at + 12) == 1 for at in times)
    sound = any(track[at + 8 : at + 12] == b"soun" for at in _all(track, b"hdlr"))
    if sound and b"vide" not in track and times and ones:
        return held // _PER_PACKET + chunks
    return listed


def _held(track: bytes, at: int, chunks: int) -> int:
    """Samples in all chunks, by the table at ``at``: (first chunk, samples in each, …) rows."""
    rows = min(_count(track, at + 4), (len(track) - at - 8) // 12)
    if rows < 1:
        return 0
    table = np.frombuffer(track, ">u4", 3 * rows, at + 8).reshape(rows, 3).astype(np.float64)
    runs = np.diff(np.append(table[:, 0], max(chunks + 1, table[-1, 0])))
    return int((np.clip(runs, 0, chunks) * table[:, 1]).sum())


def _edits(track: bytes) -> int:
    """How many edits a track lists; few cost nothing."""
    edits = max((_count(track, at + 4) for at in _all(track, b"elst")), default=0)
    return edits if edits > 4 else 0
