"""Whether a file of a release is whole, told without reading its weights. No torch here."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

_HEADER = 100 << 20  # the longest that the safetensors format allows


def is_whole(file: Path) -> bool:
    """False for a file that is cut short, as far as its beginning and end tell.

    A safetensors file begins with the places of all its tensors, a torch archive ends with its
    directory, and JSON is read. Of other files nothing is told. OSError if it cannot be read.
    """
    try:
        with file.open("rb") as content:
            start = content.read(9)
            if start[:2] == b"PK":
                return zipfile.is_zipfile(content)
            if start[8:] == b"{":
                return _ends_with_its_tensors(content, int.from_bytes(start[:8], "little"))
        if file.suffix == ".json":
            json.loads(file.read_bytes())
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return False
    return file.stat().st_size > 0


def _ends_with_its_tensors(content, length: int) -> bool:
    content.seek(8)
    header = json.loads(content.read(min(length, _HEADER)))
    header.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    return 8 + length + end == content.seek(0, 2)
