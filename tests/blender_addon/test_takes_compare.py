"""Comparing and approving takes: what is shown, and what an undo gives back."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def shot(sequence, clip, takes_of):
    """A strip and its two takes: a red one below a blue one."""
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11)
    return strip, *takes_of(strip, "red", "blue")


@pytest.fixture
def takes_of(addon, sequence, pictures):
    """Places takes of plain colours, one after the other, above a strip."""

    def run(strip, *colours):
        made = []
        for colour in colours:
            plate = addon.clip.plate.original_plate(strip, sequence)
            picture = np.zeros((plate.frames, 96, 160, 3), np.float32)
            picture[..., ("red", "green", "blue").index(colour)] = 1
            path = pictures.write(colour, picture)
            result = addon.takes.place.Result(path, (160, 96), {"clip": strip.name})
            made += addon.takes.place.place_takes(plate, [result])
        return made

    return run


def shown(scene):
    """Names of the strips that are not muted, from the lowest channel up."""
    strips = sorted(strips_of(scene), key=lambda s: (s.channel, s.name))
    return [strip.name for strip in strips if not strip.mute]


def test_toggle_goes_between_the_original_and_the_active_take(bpy, sequence, shot):
    _strip, red, _blue = shot
    sequence.sequence_editor.active_strip = red
    seen = []
    for _ in range(3):
        bpy.ops.recam.compare_toggle()
        seen.append(shown(sequence))
    assert seen == [["shot"], ["shot take 1"], ["shot"]]


def test_next_goes_round_from_the_original_through_all_takes(bpy, sequence, shot):
    sequence.sequence_editor.active_strip = shot[0]
    seen = []
    for _ in range(4):
        bpy.ops.recam.next_take()
        seen += shown(sequence)
    assert seen == ["shot", "shot take 1", "shot take 2", "shot"]
