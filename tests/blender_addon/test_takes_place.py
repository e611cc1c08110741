"""Takes of strips with handles, in meta strips, and of strips that were cut or retimed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.blender_fixtures import all_strips_of, strips_of


@pytest.fixture
def strip(addon, sequence, clip):
    """The numbered clip from its frame 5 to 18, at frames 16 to 29."""
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11)
    addon.versions.set_first_frame(strip, 16)
    addon.versions.set_end_frame(strip, 30)
    return strip


@pytest.fixture
def place(addon, sequence):
    def run(plate, path):
        result = addon.takes.place.Result(path, (160, 96), {"clip": "shot"})
        return addon.takes.place.place_takes(plate, [result])[0]

    return run


def test_handles_are_there_to_be_pulled_out(addon, sequence, strip, place, pictures, measure):
    versions = addon.versions
    plate = addon.clip.plate.original_plate(strip, sequence, handles=3)
    assert plate.handles == (3, 3) and plate.frames == 20
    before = measure.numbers(pictures.shown(sequence, range(16, 30)))
    frames = measure.numbered(24, 160, 96)[plate.first : plate.first + plate.frames]
    take = place(plate, pictures.write("handles", frames))
    assert (versions.first_frame(take), versions.end_frame(take)) == (16, 30)
    assert measure.numbers(pictures.shown(sequence, range(16, 30))) == before
    versions.set_first_frame(take, 13)
    versions.set_end_frame(take, 33)
    assert measure.numbers(pictures.shown(sequence, range(13, 33))) == list(range(2, 22))


def test_where_there_is_no_room_for_a_handle_the_take_still_fits(
    addon, sequence, strip, place, clip
):
    """A neighbour right before the take, on the channel above: only what is shown needs room."""
    strips_of(sequence).new_movie("neighbour", str(clip), 3, -8)
    plate = replace(addon.clip.plate.original_plate(strip, sequence), handles=(0, 0))
    assert place(plate, clip).channel == 3
    plate = addon.clip.plate.original_plate(strip, sequence, handles=3)
    assert place(plate, clip).channel == 4


def test_in_a_meta_strip_the_take_lies_beside_the_original(addon, sequence, strip, place, clip):
    meta = strips_of(sequence).new_meta("scene 1", 5, 11)
    strip.move_to_meta(meta)
    take = place(addon.clip.plate.original_plate(strip, sequence), clip)
    assert take.parent_meta() == meta and strip.mute and take.channel == strip.channel + 1
    assert [each.name for each in strips_of(sequence)] == ["scene 1"]
    assert sorted(each.name for each in all_strips_of(sequence)) == [
        "scene 1",
        "shot",
        "shot take 1",
    ]
    assert addon.takes.family.family_of(strip, sequence).takes == [take]
