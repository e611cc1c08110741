"""The VAE as a stream: against the public code's numbers, against itself whole, and its memory."""

from __future__ import annotations

import gc
from functools import cache
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan
from safetensors.torch import load_file

from inference_server.model.coder import Coder, to_uint8
from inference_server.model.coder_memory import working_memory
from inference_server.model.dry_run import dry_run
from inference_server.model.tiling import Tiling, blended, tiles_of
from inference_server.releases.layout import find_release
from inference_server.releases.modules import load_vae
from shared.errors import RecamError

ROOT = Path(__file__).parents[3]
MINIATURE = ROOT / "inference_server/miniature"
ORACLES = {
    "one tile": MINIATURE / "expected.safetensors",
    "2 x 2 tiles": ROOT / "tests/data/tiled/expected.safetensors",
}
SMALL_TILES = Tiling(tile=(4, 6), stride=(2, 3))


@pytest.fixture(autouse=True)
def one_thread():
    """Small networks are slower on more, by far where other work goes on."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def vae(dtype=torch.float32):
    return load_vae(find_release(MINIATURE / "release"), dtype)


@cache
def oracle(name):
    expected = load_file(ORACLES[name])
    frames = expected["source_u8"].permute(0, 3, 1, 2).float() / 127.5 - 1
    return expected, list(frames)


def noise(*shape, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(dtype)


def frames_of(count, height=32, width=48):
    return list(noise(count, 3, height, width).clamp(-1, 1))


def latents_of(count, height=4, width=6):
    return list(noise(count, 1, 16, 1, height, width))


def relative(made, expected):
    return float((made.float() - expected.float()).norm() / expected.float().norm())


def scale(network):
    """The latents' mean and 1 / std, in the network's dtype."""
    mean, std = torch.tensor([network.config.latents_mean, network.config.latents_std])
    return (v.view(1, 16, 1, 1, 1).to(network.dtype) for v in (mean, 1 / std))


# Of the tiled clip, whose 5 frames take long in float32, the first; bfloat16 sees them all.
@pytest.mark.parametrize(("name", "count"), [("one tile", 17), ("2 x 2 tiles", 1)])
def test_latents_are_the_public_code_s(name, count):
    expected, frames = oracle(name)
    latents = torch.cat(list(Coder(vae(), Tiling()).encode(frames[:count])), dim=2)
    assert latents.shape[2] == 1 + count // 4
    assert relative(latents, expected["fp32.source_latents"][:, :, : latents.shape[2]]) < 2e-5


@pytest.mark.parametrize("name", ORACLES)
def test_latents_in_bfloat16_are_as_near_as_the_public_code_s(name):
    expected, frames = oracle(name)
    latents = torch.cat(list(Coder(vae(torch.bfloat16), Tiling()).encode(frames)), dim=2)
    assert latents.dtype == torch.bfloat16
    exact, public = expected["fp32.source_latents"], expected["bf16.source_latents"]
    assert relative(latents, exact) < 1.5 * relative(public, exact)


def test_tiles_and_whole_differ():
    """What the tiled oracle compares would be nothing if tiling made no difference."""
    expected, frames = oracle("2 x 2 tiles")
    whole = Coder(vae()).encode_frame(frames[0])
    assert relative(whole, expected["fp32.source_latents"][:, :, :1]) > 0.005


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("count", [1, 5, 13])
def test_the_stream_gives_what_the_whole_clip_gives(count, dtype):
    network, frames = vae(dtype), frames_of(count)
    latents = list(Coder(network).encode(frames))
    assert [z.shape for z in latents] == [(1, 16, 1, 4, 6)] * (1 + (count - 1) // 4)

    mean, reciprocal = scale(network)
    mode = network.encode(torch.stack(frames, dim=1)[None].to(dtype)).latent_dist.mode()
    assert relative(torch.cat(latents, 2), (mode - mean) * reciprocal) < 1e-6

    decoded = list(Coder(network).decode(latents))
    assert [len(part) for part in decoded] == [1] + [4] * (len(latents) - 1)
    whole = network.decode(torch.cat(latents, 2) / reciprocal + mean).sample[0].transpose(0, 1)
    assert relative(torch.cat(decoded), whole) < 1e-6


def test_decoded_tiles_are_blended_pixel_by_pixel():
    """The public code's way, said once more: tile by tile over the whole clip, weights by hand."""
    network, coder = vae(), Coder(vae(), SMALL_TILES)
    latents = latents_of(2, 8, 12)
    total, weights = torch.zeros(5, 3, 64, 96), torch.zeros(64, 96)
    mean, reciprocal = scale(network)
    for top in (0, 2, 4):
        for left in (0, 3, 6):
            cache, parts = [None] * 100, []
            for latent in latents:
                z = (latent / reciprocal + mean)[..., top : top + 4, left : left + 6]
                z = network.post_quant_conv(z)
                parts.append(network.decoder(z, feat_cache=cache, feat_idx=[0])[0])
            weight = torch.ones(32, 48)
            for y in range(32):
                for x in range(48):
                    nears = [1.0]
                    nears += [(y + 1) / 16] if top > 0 else []
                    nears += [(32 - y) / 16] if top < 4 else []
                    nears += [(x + 1) / 24] if left > 0 else []
                    nears += [(48 - x) / 24] if left < 6 else []
                    weight[y, x] = min(nears)
            place = (..., slice(8 * top, 8 * top + 32), slice(8 * left, 8 * left + 48))
            total[place] += torch.cat(parts, dim=1).transpose(0, 1) * weight
            weights[place] += weight
    unclamped = total / weights
    assert unclamped.abs().max() > 1
    made = torch.cat(list(coder.decode(latents)))
    assert relative(made, unclamped.clamp(-1, 1)) < 1e-6


def test_the_public_tiles():
    tiles = tiles_of(60, 104, Tiling())
    corners = [(tile.rows.start, tile.columns.start) for tile in tiles]
    assert corners == [(top, left) for top in (0, 15, 30) for left in (0, 26, 52)]
    assert len(tiles_of(30, 52, Tiling())) == len(tiles_of(8, 12, Tiling())) == 1
    assert [t.columns.start for t in tiles_of(31, 53, Tiling())] == [0, 26, 0, 26]
    assert len(tiles_of(60, 104, None)) == 1


@pytest.mark.parametrize("tiling", [Tiling(), SMALL_TILES, Tiling((34, 34), (18, 16)), None])
@pytest.mark.parametrize("scale", [1, 8])
def test_blending_tiles_of_a_picture_gives_the_picture(tiling, scale):
    picture = noise(3, 60 * scale, 104 * scale)
    tiles = tiles_of(60, 104, tiling)
    made = blended(((tile, tile.cut(picture, scale)) for tile in tiles), scale)
    torch.testing.assert_close(made, picture)


@pytest.mark.parametrize("tiling", [SMALL_TILES, None])
def test_streams_keep_out_of_each_other_s_way(tiling):
    coder = Coder(vae(), tiling)
    one, other = frames_of(5, 32, 72), [-frame for frame in frames_of(5, 32, 72)]
    alone = list(coder.encode(one))
    together = [a for a, _ in zip(coder.encode(one), coder.encode(other), strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


def test_one_frame_is_the_first_of_a_clip():
    coder, frames = Coder(vae()), frames_of(5)
    alone, first, second = coder.encode_frame(frames[0]), *coder.encode(frames)
    assert torch.equal(alone, first)
    assert not torch.equal(coder.encode_frame(frames[4]), second)


def test_frames_that_fill_no_group_are_left_out():
    coder, frames = Coder(vae()), frames_of(11)
    cut, whole = list(coder.encode(frames[:9])), list(coder.encode(frames))
    assert len(whole) == 3
    assert all(torch.equal(a, b) for a, b in zip(cut, whole, strict=True))
    assert list(coder.encode([])) == list(coder.decode([])) == []


def test_frames_are_read_when_they_are_needed():
    frames = iter(frames_of(9))
    stream = Coder(vae()).encode(frames)
    next(stream)
    assert len(list(frames)) == 8


def test_sides_that_the_vae_cannot_halve_are_refused():
    with pytest.raises(RecamError, match=r"multiples of 8 pixels, not 52 x 32") as error:
        Coder(vae()).encode_frame(torch.zeros(3, 32, 52))
    assert error.value.code == "picture_size"


def test_bytes_are_cut_off_not_rounded():
    values = torch.tensor([-1.5, -1, 0, 0.9999, 1, 1.5])
    assert to_uint8(values).tolist() == [0, 0, 127, 254, 255, 255]
    assert to_uint8(torch.tensor([0.5], dtype=torch.bfloat16)).tolist() == [191]


def tensors_alive():
    gc.collect()
    return sum(type(thing) in (torch.Tensor, torch.nn.Parameter) for thing in gc.get_objects())


def test_a_cancelled_stream_gives_its_memory_back():
    coder, latents = Coder(vae(), SMALL_TILES), latents_of(9, 4, 9)
    before = tensors_alive()
    stream = coder.decode(latents)
    next(stream), next(stream)
    assert tensors_alive() > before + 2 * 20
    stream.close()
    assert tensors_alive() == before


def test_a_stream_that_fails_gives_its_memory_back_though_the_error_is_kept():
    coder, latents = Coder(vae(), SMALL_TILES), latents_of(2, 4, 9)

    def source():
        yield from latents
        raise OSError("the disk is gone")

    before = tensors_alive()
    with pytest.raises(OSError, match="disk is gone") as error:
        list(coder.decode(source()))
    assert error.traceback
    # A handful of the last step's stay with the traceback, the feature caches do not.
    assert tensors_alive() < before + 10


def test_memory_does_not_grow_with_the_clip():
    with torch.device("meta"):
        coder = Coder(AutoencoderKLWan.from_config(vae().config))
        frame, latent = torch.empty(3, 32, 48), torch.empty(1, 16, 1, 4, 6)

    def peaks(count):
        encoding = coder.encode(frame for _ in range(4 * count - 3))
        decoding = coder.decode(latent for _ in range(count))
        return [
            dry_run(lambda: [part.shape for part in stream]).peak_bytes  # noqa: B023
            for stream in (encoding, decoding)
        ]

    assert peaks(3) == peaks(4)


def test_working_memory_is_what_real_work_takes():
    """The estimate against the tensors of a real run, of a clip longer than the estimate's."""
    coder, latents = Coder(vae(torch.bfloat16), SMALL_TILES), latents_of(4, 4, 9)
    frames = frames_of(5, 32, 72)
    encoding = dry_run(lambda: [part.shape for part in coder.encode(frames)]).peak_bytes
    decoding = dry_run(lambda: [part.shape for part in coder.decode(latents)]).peak_bytes
    estimate = working_memory(coder.vae, 32, 72, SMALL_TILES, torch.bfloat16)
    assert encoding < decoding == pytest.approx(estimate, rel=0.1)


def test_working_memory_of_the_public_size():
    with torch.device("meta"):
        full = AutoencoderKLWan()
    assert 3.5 < working_memory(full, 480, 832, None, torch.bfloat16) / 2**30 < 4
