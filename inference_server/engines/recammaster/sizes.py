"""The sizes that the model can work at: multiples of 16 within a budget of pixels."""

from __future__ import annotations

from fractions import Fraction

from shared.errors import RecamError

MULTIPLE = 16  # the coder's 8 times the transformer's patch of 2
SMALLEST = 64
PIXEL_BUDGET = 832 * 480


def auto_size(width: Fraction, height: Fraction, budget: int) -> tuple[int, int]:
    """The size for a frame of ``width`` x ``height`` square pixels, within ``budget`` pixels.

    The one that holds the frame largest, yet not beyond its own size; of those the least.
    """
    best = (Fraction(0), 0, (SMALLEST, SMALLEST))
    for w in range(SMALLEST, max(SMALLEST, budget // SMALLEST) + 1, MULTIPLE):
        h = max(SMALLEST, budget // w // MULTIPLE * MULTIPLE)
        ratio = min(w / width, h / height, Fraction(1))
        size = tuple(
            max(SMALLEST, -(-side * ratio // MULTIPLE) * MULTIPLE) for side in (width, height)
        )
        best = max(best, (ratio, -size[0] * size[1], size))
    return best[2]


def parse_size(size: str, budget: int) -> tuple[int, int]:
    """(width, height) of ``WxH``, or RecamError ``size``, naming the nearest that is possible."""
    try:
        width, height = (int(side) for side in size.lower().split("x"))
    except ValueError:
        raise RecamError(
            "size", f"{size!r} is no size.", "Give auto, or width and height such as 832x480."
        ) from None
    if width * height > budget:
        wrong = f"it has {width * height:,} pixels, and {budget:,} are the most"
    elif min(width, height) < SMALLEST:
        wrong = f"its sides are not both at least {SMALLEST}"
    elif width % MULTIPLE or height % MULTIPLE:
        wrong = f"its sides are not multiples of {MULTIPLE}"
    else:
        return width, height
    sides = (Fraction(max(side, SMALLEST)) for side in (width, height))
    near = "{} x {}".format(*auto_size(*sides, budget))
    raise RecamError(
        "size",
        f"The model cannot work at {width} x {height}: {wrong}.",
        f"The nearest size that it can do is {near}.",
    )
