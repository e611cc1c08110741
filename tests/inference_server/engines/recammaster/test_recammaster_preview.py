"""The small pictures of a take that is being denoised."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from recammaster_jobs import differ, pictures, render
from worlds import Frames

from inference_server.engines.recammaster.preview import Preview


def test_colours_that_are_in_the_latents_are_found():
    """By a map that nobody told, from frames that it saw once."""
    generator = torch.Generator().manual_seed(1)
    mixing = torch.randn(16, 3, generator=generator)
    small = torch.rand(3, 9, 6, 8, generator=generator) * 1.8 - 0.9
    latents = torch.einsum("lc,cthw->lthw", mixing, small)[None] + 0.5
    preview = Preview()
    frames = [
        picture.repeat_interleave(8, 1).repeat_interleave(8, 2) for picture in small.unbind(1)
    ]
    between = torch.zeros(3, 48, 64)  # which no latent ends at
    shot = [frames[0], *(f for frame in frames[1:] for f in (between, between, between, frame))]
    assert len([*preview.noting(shot)]) == 33
    assert preview.of(latents[:, :, 4]) is None, "before anything is learnt"
    preview.learn(latents)
    shown = preview.of(latents[:, :, 4])()
    assert shown.shape == (6, 8, 3) and shown.dtype == np.uint8
    wanted = (small[:, 4].permute(1, 2, 0).numpy() + 1) * 127.5
    assert np.abs(shown - wanted).max() <= 1.01


@pytest.mark.parametrize("level", [-1.0, 0.2])
def test_a_clip_of_one_colour_is_shown_in_it(level):
    preview, latents = Preview(), torch.full((1, 16, 2, 4, 4), 0.3)
    list(preview.noting([torch.full((3, 32, 32), level)] * 5))
    preview.learn(latents)
    assert np.abs(preview.of(latents[:, :, 1])() - (level + 1) * 127.5).max() <= 1.01


def test_a_long_shot_is_not_kept():
    preview = Preview()
    list(preview.noting(torch.zeros(3, 16, 16) for _ in range(400)))
    assert len(preview._small) == 21


def test_every_pass_has_a_picture_of_the_models_frame(engine):
    """Of the miniature's noise only this can be known: it is in the clip's own colours."""
    clip, shown = pictures(5, 96, 64), []
    asked = {"steps": 3, "guidance": 1.0}
    render(engine, clip, pictures=shown, **asked)
    assert [picture.shape for picture in shown] == [(8, 12, 3)] * 3
    assert differ(shown[0], shown[-1]) > 0
    red = Frames([np.full_like(frame, (200, 40, 10)) for frame in clip], clip.rate)
    plain = []
    render(engine, red, pictures=plain, **asked)
    assert np.abs(np.mean(plain, (0, 1, 2)) - (200, 40, 10)).max() < 30


def test_a_take_that_sees_no_clip_goes_without(engine, usual):
    shown = []
    render(engine, usual, pictures=shown, source="noise")
    assert shown == []
