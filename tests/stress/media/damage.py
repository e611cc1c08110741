"""Whole files with damage: cut off, bits turned, pieces lost, doubled, moved, laid over."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .parts import Case

HEAD = 600  # bytes, where what matters lies


def damaged(seeds: dict[str, bytes], count: int, seed: int) -> Iterator[Case]:
    """``count`` of them, the seeds and the kinds of damage in turn."""
    rng, names = random.Random(seed), list(seeds)
    kinds = list(_KINDS.items())
    for number in range(count):
        name = names[number % len(names)]
        what, damage = kinds[(number + number // len(names)) % len(kinds)]
        data = damage(rng, seeds[name], seeds[rng.choice(names)])
        yield Case(f"{what}-{number}-{name}", data)


def _cut(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(1, len(data))]


def _cut_early(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(1, HEAD)]


def _beheaded(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[rng.randrange(1, HEAD) :]


def _turned(rng: random.Random, data: bytes, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(max(1, len(data) // 300)):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _turned_at_an_end(rng: random.Random, data: bytes, other: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(8):
        at = rng.randrange(min(HEAD, len(data)))
        changed[rng.choice((at, -1 - at))] = rng.choice(
            (0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))
        )
    return bytes(changed)


def _holed(rng: random.Random, data: bytes, other: bytes) -> bytes:
    begin = rng.randrange(len(data))
    return data[:begin] + data[begin + rng.randrange(1, 2000) :]


def _zeroed(rng: random.Random, data: bytes, other: bytes) -> bytes:
    begin, length = rng.randrange(len(data)), rng.randrange(1, len(data) // 2)
    return data[:begin] + bytes(min(length, len(data) - begin)) + data[begin + length :]


def _repeated(rng: random.Random, data: bytes, other: bytes) -> bytes:
    begin, length = rng.randrange(len(data)), rng.randrange(1, 3000)
    return data[:begin] + data[begin : begin + length] * rng.randrange(2, 40) + data[begin:]


def _crossed(rng: random.Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(1, len(data))] + other[rng.randrange(1, len(other)) :]


_KINDS = {
    "cut": _cut,
    "turned": _turned,
    "cut-early": _cut_early,
    "turned-at-an-end": _turned_at_an_end,
    "holed": _holed,
    "zeroed": _zeroed,
    "beheaded": _beheaded,
    "repeated": _repeated,
    "crossed": _crossed,
}
