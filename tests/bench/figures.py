"""One measured figure, its bound, and how both are shown."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

TIMES = 3  # a figure that noise can spoil is measured so often; its median counts


@dataclass(frozen=True)
class Figure:
    """What was measured: value and unit, and the bound it must keep, if it has one.

    beside: what it is compared with, in words, for a figure that is a ratio.
    least, most: bounds in the figure's unit; None where there is none.
    """

    name: str
    value: float
    unit: str
    least: float | None = None
    most: float | None = None
    beside: str = ""

    @property
    def kept(self) -> bool:
        """Whether the figure is within its bound."""
        too_low = self.least is not None and self.value < self.least
        return not (too_low or (self.most is not None and self.value > self.most))

    @property
    def bound(self) -> str:
        """The bound in signs, or nothing."""
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.most is None else f"<= {self.most:g}"

    @property
    def verdict(self) -> str:
        """``ok``, ``over`` (the bound, to its wrong side), or nothing."""
        return ("ok" if self.kept else "over") if self.bound else ""

    def line(self) -> str:
        """For the terminal."""
        beside = f"  ({self.beside})" if self.beside else ""
        value = f"{_digits(self.value)} {self.unit}"
        return f"  {self.name:<44}{value:>16}  {self.bound:<9}{self.verdict:<5}{beside}"


def table(figures: list[Figure]) -> str:
    """The figures as a table for docs/benchmarks.md."""
    rows = ["| what | measured | bound | | |", "| --- | ---: | --- | --- | --- |"]
    for one in figures:
        value = f"{_digits(one.value)} {one.unit}"
        rows.append(f"| {one.name} | {value} | {one.bound} | {one.verdict} | {one.beside} |")
    return "\n".join(rows)


def middle(values: list[float]) -> float:
    """The median."""
    return float(median(values))


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
