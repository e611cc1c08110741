"""Tiles of a picture for the VAE, and their blending, as the public pipeline has them.

Which tiles there are and how they are weighed changes the numbers: a VAE that sees a tile instead
of the picture gives other latents. So both follow the public code to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Tiling:
    """Height and width of a tile and the steps between tiles, in latents (8 pixels each)."""

    tile: tuple[int, int] = (30, 52)
    stride: tuple[int, int] = (15, 26)


@dataclass(frozen=True)
class Span:
    """One tile along one axis: latents ``start`` to ``stop`` of ``length``.

    ``border`` is how far it overlaps its neighbour.
    """

    start: int
    stop: int
    length: int
    border: int

    def cut(self, scale: int) -> slice:
        """The span where one latent counts ``scale`` samples."""
        return slice(self.start * scale, self.stop * scale)

    def weight(self, scale: int) -> torch.Tensor:
        """``((stop - start) * scale,) float32``: 1, and a ramp (k + 1) / border to a neighbour."""
        weight = torch.ones((self.stop - self.start) * scale)
        border = self.border * scale
        ramp = (torch.arange(border) + 1) / border
        if self.start > 0:
            weight[:border] = ramp
        if self.stop < self.length:
            weight[len(weight) - border :] = ramp.flip(0)
        return weight


@dataclass(frozen=True)
class Tile:
    """One tile of the picture."""

    rows: Span
    columns: Span

    def cut(self, picture: torch.Tensor, scale: int) -> torch.Tensor:
        """This tile of ``picture (..., height, width)``, of which a latent counts ``scale``."""
        return picture[..., self.rows.cut(scale), self.columns.cut(scale)]

    def weight(self, scale: int) -> torch.Tensor:
        """``(height, width) float32``: the lesser of the two axes' weights."""
        return torch.minimum(self.rows.weight(scale)[:, None], self.columns.weight(scale))


def tiles_of(height: int, width: int, tiling: Tiling | None) -> list[Tile]:
    """The tiles of ``height`` x ``width`` latents, row by row; one for all without a tiling."""
    tile, stride = (tiling.tile, tiling.stride) if tiling else ((height, width),) * 2
    return [
        Tile(rows, columns)
        for rows in _spans(height, tile[0], stride[0])
        for columns in _spans(width, tile[1], stride[1])
    ]


def blended(parts: Iterable[tuple[Tile, torch.Tensor]], scale: int) -> torch.Tensor:
    """The picture ``(..., height * scale, width * scale)`` from its tiles' parts.

    The sum of weight times part over the sum of the weights, in the parts' own dtype and in the
    tiles' order. Parts are taken one by one: only one need be in memory.
    """
    total = weights = None
    for tile, part in parts:
        size = (tile.rows.length * scale, tile.columns.length * scale)
        if part.shape[-2:] == size:
            return part
        if total is None:
            total = part.new_zeros((*part.shape[:-2], *size))
            weights = part.new_zeros(size)
        weight = tile.weight(scale).to(part)
        tile.cut(total, scale).add_(part * weight)
        tile.cut(weights, scale).add_(weight)
    return total / weights


def _spans(length: int, size: int, stride: int) -> list[Span]:
    return [
        Span(start, min(start + size, length), length, size - stride)
        for start in range(0, length, stride)
        if start < stride or start - stride + size < length
    ]
