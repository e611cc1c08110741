"""The shot as it travels: JSON whose rows of numbers are read block by block.

Read at once, 16 MiB of JSON may become 300 MB of Python's lists.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator

import numpy as np

from ..cameras.recam_json import check_lens, check_pose, shot_from_json
from ..cameras.trajectory import Shot
from .limits import MOST_FRAMES
from .strict_json import bad, parse_json

_ROW = re.compile(rb'\[[^\[\]{}":]++\]')  # numbers alone, as far as can be seen
_ROW_BYTES = 2000
_BLOCK = 2000  # rows that are read at once
_FIELDS = 64  # more than a shot has
_CHECKS = {"poses": (12, check_pose), "lenses": (4, check_lens)}


def read_shot(data: bytes) -> Shot:
    """The shot, or RecamError ``bad_message`` or what ``shot_from_json`` raises."""
    if data.count(b"[") + data.count(b"{") > 4 * MOST_FRAMES + _FIELDS or (
        data.count(b":") > _FIELDS
    ):
        raise bad(f"has a shot that is more than two cameras of {MOST_FRAMES} frames")
    bare, count = _ROW.subn(b"0", data)
    if bare.count(b",") > count + _FIELDS:
        raise bad("has a shot that is more than cameras")
    shot = parse_json(bare, "shot")
    lists = [
        (camera, field)
        for camera in shot.values()
        if isinstance(camera, dict)
        for field in camera
        if field in _CHECKS and isinstance(camera[field], list)
    ]
    # One 0 for each row, in the order of the text: a 0 that is written there would be one more.
    if any(camera[field].count(0) < len(camera[field]) for camera, field in lists) or (
        sum(len(camera[field]) for camera, field in lists) != count
    ):
        raise bad("has a shot with something else where rows of numbers belong")
    rows = (found.group() for found in _ROW.finditer(data))
    for camera, field in lists:
        camera[field] = _array(rows, len(camera[field]), field)
    return shot_from_json(shot)


def _array(rows: Iterator[bytes], count: int, field: str) -> np.ndarray:
    """The next ``count`` rows, ``(count, 12 or 4)`` float64."""
    if count > MOST_FRAMES:
        raise bad(f"has a shot of more than {MOST_FRAMES} frames")
    width, check = _CHECKS[field]
    array = np.empty((count, width))
    for begin in range(0, count, _BLOCK):
        texts = list(itertools.islice(rows, min(_BLOCK, count - begin)))
        if any(len(text) > _ROW_BYTES for text in texts):
            raise bad(f"has a row of more than {_ROW_BYTES} bytes in its shot")
        try:
            # A whole number beyond any float becomes infinite, and is refused with its frame.
            block = json.loads(b"[" + b",".join(texts) + b"]", parse_int=float)
        except ValueError as error:
            raise bad(f"has a shot that is not JSON ({error})") from None
        for number, row in enumerate(block, begin):
            check(row, number)
        array[begin : begin + len(block)] = block
    return array
