"""The VAE as a stream: frames to latents and back, in memory that does not grow with the clip.

Wan's VAE is causal: a latent depends on its own frames and on what the convolutions keep of the
frames before. That memory (diffusers' feature caches) is held here, one for each tile, so that
every tile of a chunk can be blended before the next chunk is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d

from shared.errors import RecamError

from .tiling import Tile, Tiling, blended, tiles_of

PIXELS = 8  # of the picture's side to a latent
FRAMES = 4  # of the clip to a latent, but for the first


class Coder:
    """Encodes and decodes with ``vae``, on its device and in its dtype.

    ``tiling=Tiling()`` is what the public pipeline does, ``None`` takes the picture as a whole.
    Nothing is kept between streams: several can run at once, and one that is closed before its
    end (``stream.close()``, or the last reference let go) has given its memory back.
    """

    def __init__(self, vae: AutoencoderKLWan, tiling: Tiling | None = None) -> None:
        self.vae = vae
        self.tiling = tiling

    def encode(self, frames: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Normalised latents ``(1, 16, 1, H / 8, W / 8)`` of ``frames (3, H, W)`` in [-1, 1].

        The first latent is the first frame's, each further one that of the next 4; frames at the
        end that do not fill a group of 4 are left out (pad the clip to 4k + 1 to keep them). The
        posterior's mode, not a sample: ``(mode - mean) / std``. Frames may be of any dtype and
        on any device. RecamError ``picture_size`` for sides that are no multiples of 8.
        """
        tiles: list[Tile] = []
        caches: list[list] = []
        try:
            for group in _groups(frames):
                if not tiles:
                    tiles = tiles_of(*_latent_size(group), self.tiling)
                    caches = [_empty_cache(self.vae.encoder) for _ in tiles]
                yield self._encode_group(group, tiles, caches)
        finally:
            _let_go(caches)

    def encode_frame(self, frame: torch.Tensor) -> torch.Tensor:
        """``frame (3, H, W)`` as if it were the first of a clip: ``(1, 16, 1, H / 8, W / 8)``."""
        return next(self.encode([frame]))

    def decode(self, latents: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
        """Frames ``(n, 3, 8 h, 8 w)`` in [-1, 1] of normalised latents ``(1, 16, 1, h, w)``.

        n is 1 for the first latent and 4 for each further one.
        """
        tiles: list[Tile] = []
        caches: list[list] = []
        try:
            for latent in latents:
                if not tiles:
                    tiles = tiles_of(*latent.shape[-2:], self.tiling)
                    caches = [_empty_cache(self.vae.decoder) for _ in tiles]
                yield self._decode_latent(latent, tiles, caches)
        finally:
            _let_go(caches)

    @torch.no_grad()
    def _encode_group(self, group, tiles, caches) -> torch.Tensor:
        x = group.to(self.vae.device, self.vae.dtype)
        mean, reciprocal = self._scale()

        def code(tile: Tile, cache: list) -> torch.Tensor:
            hidden = self.vae.encoder(tile.cut(x, PIXELS), feat_cache=cache, feat_idx=[0])
            mode = self.vae.quant_conv(hidden).chunk(2, dim=1)[0]
            return (mode - mean) * reciprocal

        return _each_blended(code, tiles, caches, scale=1)

    @torch.no_grad()
    def _decode_latent(self, latent, tiles, caches) -> torch.Tensor:
        mean, reciprocal = self._scale()
        z = latent.to(self.vae.device, self.vae.dtype) / reciprocal + mean

        def code(tile: Tile, cache: list) -> torch.Tensor:
            hidden = self.vae.post_quant_conv(tile.cut(z, 1))
            return self.vae.decoder(hidden, feat_cache=cache, feat_idx=[0])

        frames = _each_blended(code, tiles, caches, scale=PIXELS)
        return frames.clamp_(-1, 1)[0].transpose(0, 1)

    def _scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The latents' mean and 1 / std, ``(1, 16, 1, 1, 1)`` in the VAE's dtype.

        Rounded to it after the reciprocal is taken, as the public code does.
        """
        mean = torch.tensor(self.vae.config.latents_mean).view(1, -1, 1, 1, 1)
        std = torch.tensor(self.vae.config.latents_std).view(1, -1, 1, 1, 1)
        place = {"device": self.vae.device, "dtype": self.vae.dtype}
        return mean.to(**place), (1 / std).to(**place)


def to_uint8(frames: torch.Tensor) -> torch.Tensor:
    """``frames`` in [-1, 1] to uint8 0..255 of the same shape, truncated as in the public code."""
    return ((frames.float() + 1) * 127.5).clamp(0, 255).to(torch.uint8)


def _each_blended(
    code: Callable[[Tile, list], torch.Tensor], tiles: list[Tile], caches: list[list], scale: int
) -> torch.Tensor:
    pairs = zip(tiles, caches, strict=True)
    return blended(((tile, code(tile, cache)) for tile, cache in pairs), scale)


def _groups(frames: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """The first frame alone, then each 4: ``(1, 3, n, H, W)``."""
    group: list[torch.Tensor] = []
    wanted = 1
    for frame in frames:
        group.append(frame)
        if len(group) == wanted:
            yield torch.stack(group, dim=1)[None]
            group, wanted = [], FRAMES


def _latent_size(group: torch.Tensor) -> tuple[int, int]:
    height, width = group.shape[-2:]
    if height % PIXELS or width % PIXELS:
        raise RecamError(
            "picture_size",
            f"The model takes pictures whose sides are multiples of {PIXELS} pixels, "
            f"not {width} x {height}.",
            "Scale or pad the clip first.",
        )
    return height // PIXELS, width // PIXELS


def _let_go(caches: list[list]) -> None:
    # By hand: after an out-of-memory the error's traceback would still hold them.
    for cache in caches:
        cache.clear()


def _empty_cache(network: torch.nn.Module) -> list:
    return [None] * sum(isinstance(part, WanCausalConv3d) for part in network.modules())
