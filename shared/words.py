"""Numbers in sentences."""

from __future__ import annotations


def counted(count: int, what: str) -> str:
    """``1 frame``, ``2 frames``: for nouns that take an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def size(count: int) -> str:
    """A number of bytes in words: ``1.2 GB``, ``340 MB``, ``12 kB``."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= unit:
            return (
                f"{count / unit:.3g} {name}"
                if count < 1000 * unit
                else f"{count / unit:,.0f} {name}"
            )
    return f"{count} bytes"
