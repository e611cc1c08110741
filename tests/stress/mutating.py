"""Valid messages of every type, and ways to make them wrong."""

from __future__ import annotations

import copy
import json
import os
import random

SHA256, ID = "ab" * 32, "cd" * 16  # of nothing that is there

_CAMERA = {
    "lenses": [[0.97, 1.7, 0.5, 0.5]],
    "poses": [[1, 0, 0, 0.25 * frame, 0, 1, 0, 0, 0, 0, 1, 0] for frame in range(5)],
}
SHOT = {
    "format": "recam-shot",
    "version": 1,
    "axes": "x right, y down, z forward",
    "units": "metres",
    "rate": "25",
    "subject_distance": 4.0,
    "trajectory": _CAMERA,
    "source_camera": _CAMERA,
}

# Of each type one; none has a job rendered or fills a disk, whatever becomes of it.
BODIES = {
    "hello": {"protocol": 1, "client": "mutant 1"},
    "server.info": {},
    "server.status": {},
    "blob.have": {"sha256": SHA256},
    "blob.put": {"upload": ID, "size": 1000, "sha256": None},
    "blob.chunk": {"upload": ID, "offset": 0, "sha256": SHA256},
    "blob.end": {"upload": ID, "sha256": SHA256},
    "blob.drop": {"upload": ID, "sha256": SHA256},
    "job.estimate": {
        "engine": "auto",
        "settings": {"strength": 0.5, "prompt": "zwei\nZeilen", "takes": 2, "anchor": True},
        "width": 64,
        "height": 48,
        "frames": 5,
        "rate": "24000/1001",
        "depth": False,
        "start": False,
    },
    "job.submit": {
        "job": ID,
        "engine": "auto",
        "name": "Bär 1.mov",
        "parts": [SHA256, SHA256],
        "first": 0,
        "depth": None,
        "start": SHA256,
        "audio": True,
        "untagged_matrix": 6,
        "settings": {"takes": 2},
        "delete_on_delivery": True,
    },
    "job.attach": {"job": ID},
    "job.cancel": {"job": ID},
    "job.picture": {"job": ID},
    "job.list": {},
    "result.get": {"job": ID, "take": 0, "offset": 0},
    "result.delivered": {"job": ID},
}
DATA = {"blob.chunk": b"x" * 1000, "job.submit": json.dumps(SHOT).encode()}

_ODD = [
    *(None, True, False, 0, -1, 1, 2**53, 2**53 + 1, -(2**63), 10**30, 1.5, 1e308, -0.0, 5e-324),
    *("", "0", "null", "\0", "a\nb", "\x1b[2J", "\u202eabc", "\ud800", "\U0001f4a5", "ÿ" * 300),
    *("../../etc/passwd", "C:\\con", "file:///etc/passwd", "' OR 1=1 --", "%s%n{0}", "x" * 20_000),
    *(ID, ID.upper(), ID + "\n", SHA256, "ab" * 31, ["ab" * 32] * 200, [[[[[[[[[]]]]]]]]]),
    *([], {}, [None], {"": None}, {"__proto__": 1}, {"job": ID}, [0] * 1000),
]
_TOKENS = [b"1e999", b"-1e999", b"NaN", b"Infinity", b"1" * 60, b"9" * 5000, b"\\ud800", b"}", b"["]
_TOKENS += [
    b'"',
    b"\\",
    b"\0",
    b"\xff\xfe",
    b'{"a":' * 20,
    b"[" * 2000,
    b"\xf0\x9f\x92\xa5",
    b"1E+5",
]


class Mutator:
    """Messages from a seed, one after the other."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._number = 0

    def frames(self) -> list[bytes]:
        """The frames of the next one: most of them wrong somewhere, some right."""
        rng = self._random
        self._number += 1
        kind = rng.choice([*BODIES])
        header = {"recam": 1, "type": kind, "id": self._number, "re": None}
        header["body"] = copy.deepcopy(BODIES[kind])
        for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 5))):
            self._change(header)
        frames = [self._text(header)]
        if kind in DATA and rng.random() < 0.9:
            frames.append(self._data(kind))
        return self._reframed(frames)

    def spoilt(self, header: dict, data: bytes) -> list[bytes]:
        """The frames of that message, most of them wrong in the body, some elsewhere."""
        rng = self._random
        for _ in range(rng.choice((0, 1, 1, 2))):
            self._change(header["body"])
        text = json.dumps(header).encode() if rng.random() < 0.95 else self._text(header)
        data = data[: rng.randrange(len(data))] if rng.random() < 0.1 and data else data
        return [text, *([data] if data else [])]

    def _change(self, value: dict | list) -> None:
        """Something in there, however deep, goes, comes, or is another."""
        rng = self._random
        while value:
            key = rng.choice([*value]) if isinstance(value, dict) else rng.randrange(len(value))
            if not (isinstance(value[key], dict | list) and value[key] and rng.random() < 0.7):
                break
            value = value[key]
        how = rng.randrange(4)
        if how == 0 and value:
            del value[key]
        elif how == 1 and isinstance(value, dict):
            value[rng.choice(("path", "__class__", "sha256", "job", "x" * 300))] = self._odd()
        elif how == 1:
            value.extend(self._odd() for _ in range(rng.choice((1, 50))))
        elif value:
            value[key] = self._odd() if how == 2 else rng.random() * 10 ** rng.randrange(40)

    def _odd(self):
        return copy.deepcopy(self._random.choice(_ODD))

    def _text(self, value) -> bytes:
        rng = self._random
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
        how = rng.randrange(24)
        if how == 0:
            return text[: rng.randrange(len(text) + 1)]
        if how == 1:
            return text.decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32-le")))
        if how == 2:  # a name twice
            return text.replace(b"{", b'{"type": "job.list", "job": 1, ', rng.choice((1, 2)))
        for _ in range(rng.randrange(1, 4) if how < 9 else 0):
            at = rng.randrange(len(text) + 1)
            piece = rng.choice(_TOKENS) if rng.random() < 0.5 else rng.randbytes(rng.randrange(4))
            text = text[:at] + piece + text[at + rng.choice((0, 1, len(piece))) :]
        return text

    def _data(self, kind: str) -> bytes:
        rng = self._random
        if kind == "job.submit" and rng.random() < 0.8:
            shot = copy.deepcopy(SHOT)
            for _ in range(rng.randrange(4)):
                self._change(shot)
            return self._text(shot)
        return rng.randbytes(rng.choice((0, 1, 1000, 512 * 1024, 512 * 1024 + 1)))

    def _reframed(self, frames: list[bytes]) -> list[bytes]:
        rng = self._random
        how = rng.randrange(40)
        if how == 0:
            frames += [rng.randbytes(rng.randrange(100)) for _ in range(rng.randrange(1, 6))]
        elif how == 1:
            frames[0] = rng.randbytes(rng.choice((0, 1, 10, 1000)))
        elif how == 2:
            frames.reverse()
        elif how == 3:
            frames.append(b"")
        elif how == 4 and rng.random() < 0.05:
            frames[0] = os.urandom(1) * rng.choice((1 << 20, (1 << 20) + 1, (1 << 20) + 2000))
        return frames
