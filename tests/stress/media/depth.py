"""Depth files that lie, or hold what no depth is."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import numpy as np

from .parts import Case
from .seeds import FRAMES, SIZE

WIDTH, HEIGHT = SIZE


def depths() -> Iterator[Case]:
    """All of them, for a clip of ``seeds.FRAMES`` frames."""
    maps = np.full((FRAMES, HEIGHT, WIDTH), 3.0, np.float32)
    for value in (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-45, 1e-38, 3e38):
        yield _file(f"all-{value}", maps.shape, "F32", np.full_like(maps, value).tobytes())
    noise = np.random.default_rng(1).integers(0, 256, maps.nbytes, np.uint8).tobytes()
    yield _file("noise", maps.shape, "F32", noise)
    data = maps.tobytes()
    yield _file("integers", maps.shape, "I32", data, refused=True)
    yield _file("bfloat", (FRAMES, HEIGHT, 2 * WIDTH), "BF16", data, refused=True)
    yield _file("unknown-type", maps.shape, "F31", data, refused=True)
    yield _file("flat", (FRAMES * HEIGHT * WIDTH,), "F32", data, refused=True)
    yield _file("no-points", (FRAMES, 0, WIDTH), "F32", b"", refused=True)
    yield _file(
        "too-few", (FRAMES - 4, HEIGHT, WIDTH), "F32", data[: (FRAMES - 4) * 4 * 6144], True
    )
    for shape in ((FRAMES, 100_000, 100_000), (FRAMES, 1 << 62, 4), (FRAMES, -1, WIDTH)):
        yield _file(f"claims-{shape[1]}", shape, "F32", data, refused=True)
    yield _file("cut", maps.shape, "F32", data[:-1000], refused=True)
    yield _file("longer", maps.shape, "F32", data + bytes(1000), refused=True)
    yield _file("long-and-thin", (1, 1, len(data) // 4), "F32", data)
    for name, offsets in {
        "beyond": [0, 1 << 62], "backwards": [len(data), 0], "negative": [-8, len(data) - 8],
        "late": [8, len(data)], "words": ["0", "9"],
    }.items():  # fmt: skip
        yield _file(f"offsets-{name}", maps.shape, "F32", data, True, offsets)
    tensor = {"dtype": "F32", "shape": list(maps.shape), "data_offsets": [0, len(data)]}
    yield _raw("laid-over-another", {"depth": tensor, "other": tensor}, data)
    other = {"dtype": "U8", "shape": [len(data)], "data_offsets": [0, len(data)]}
    yield _raw("no-depth", {"../../colour": other}, data)
    empty = {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}
    yield _raw("100000-tensors", {f"{n:05}": empty for n in range(100_000)}, b"")
    yield _raw("a-list", [1, 2], data)
    deep = b"[" * 100_000
    for name, whole in {
        "header-100000-deep": struct.pack("<Q", len(deep)) + deep,
        "header-of-exabytes": struct.pack("<Q", 1 << 62) + b"{}",
        "header-of-nothing": bytes(8),
        "header-no-text": struct.pack("<Q", 64) + b"\xff" * 64,
        "pickle": b"\x80\x04\x95\x1b\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93.",
        "nothing": b"",
        "zeros": bytes(10_000),
    }.items():
        yield Case(f"depth-{name}.safetensors", whole, True)


def _file(name, shape, kind, data, refused=False, offsets=None) -> Case:
    tensor = {"dtype": kind, "shape": shape, "data_offsets": offsets or [0, len(data)]}
    return Case(f"depth-{name}.safetensors", _raw(name, {"depth": tensor}, data).data, refused)


def _raw(name: str, header: object, data: bytes) -> Case:
    text = json.dumps(header).encode()
    return Case(f"depth-{name}.safetensors", struct.pack("<Q", len(text)) + text + data, True)
