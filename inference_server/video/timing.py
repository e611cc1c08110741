"""Timestamps to frame numbers: is the rate constant, which rate is it, which frame is when."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from . import limits

_COMMON = [Fraction(n) for n in (8, 10, 12, 15, 16, 18, 20, 24, 25, 30, 48, 50, 60, 90, 100, 120)]
_COMMON += [Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120)]


def frame_number(ticks: int | np.ndarray, tick: Fraction, rate: Fraction) -> int | np.ndarray:
    """Which frame of a constant rate lies nearest to ``ticks`` after the first frame's time.

    ticks: integers, in units of ``tick`` seconds. Exact: integers throughout.
    An array is ascending.
    """
    step = tick * rate  # frames per tick
    if isinstance(ticks, np.ndarray) and 2 * int(ticks[-1]) * step.numerator > 2**62:
        ticks = ticks.astype(object)  # nanoseconds for hours: 64 bits are too few
    return (2 * ticks * step.numerator + step.denominator) // (2 * step.denominator)


def find_rate(
    ticks: np.ndarray, tick: Fraction, declared: Iterable[Fraction | None]
) -> tuple[Fraction, bool]:
    """The clip's rate in frames per second, and whether it is constant.

    ticks: ``(F,)`` int64, ascending, starting at 0, in units of ``tick`` seconds.
    declared: the rates that the file gives, best first.

    Constant means that a rate exists at which frame k is nearest to k's place, for every k. Of
    such rates a common one that the timestamps fit to within their rounding is taken first, as
    coarse ticks make files declare 59.9401 for 60000/1001; else the closest. A variable rate is
    made constant at the declared rate if frames typically come that fast, as Blender counts a
    strip's frames by it, else at the rate of the median interval.
    """
    declared = [Fraction(rate) for rate in declared if rate]
    if len(ticks) < 2:
        return (declared or [Fraction(25)])[0], True
    mean = Fraction(len(ticks) - 1, int(ticks[-1])) / tick
    places = np.arange(len(ticks))
    slowest, fastest = limits.RATES
    fitting = []
    common = sorted(_COMMON, key=lambda rate: abs(rate - mean))
    for rate in [*map(_snap, declared), *common, mean.limit_denominator(1001)]:
        if slowest <= rate <= fastest and np.array_equal(frame_number(ticks, tick, rate), places):
            error = np.abs(ticks - places * float(1 / (rate * tick))).max()
            if error < 1.01:
                return rate, True
            fitting.append((error, rate))
    if fitting:
        return min(fitting)[1], True
    typical = 1 / (Fraction(float(np.median(np.diff(ticks)))).limit_denominator(2) * tick)
    for rate in declared:
        if 0.9 <= rate / typical <= 2.1:
            return rate, False
    return _snap(typical), False


def _snap(rate: Fraction) -> Fraction:
    nearest = min(_COMMON, key=lambda common: abs(common - rate))
    return nearest if abs(nearest - rate) < rate / 2500 else rate.limit_denominator(1001)
