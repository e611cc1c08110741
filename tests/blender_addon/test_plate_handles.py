"""Handles: frames of the clip before and after those that the strip shows."""

from __future__ import annotations

import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def strip(addon, sequence, clip):
    """Frames 4 to 15 of the numbered clip, shown from 30 to 41."""
    strip = strips_of(sequence).new_movie("shot", str(clip), 1, 26)
    addon.versions.set_first_frame(strip, 30)
    addon.versions.set_end_frame(strip, 42)
    return strip


@pytest.fixture
def numbers_of(rendered, measure):
    """Renders a strip to a plate with handles; the plate and its frames' numbers."""

    def run(strip, handles):
        plate, frames = rendered(strip, handles)
        return plate, measure.numbers(frames)

    return run


def test_a_file_is_sent_with_so_many_frames_more_as_it_has(addon, sequence, strip):
    plate = addon.clip.plate.original_plate(strip, sequence, 3)
    assert (plate.first, plate.frames, plate.handles) == (1, 18, (3, 3))
    plate = addon.clip.plate.original_plate(strip, sequence, 6)
    assert (plate.first, plate.frames, plate.handles) == (0, 22, (4, 6))
    assert addon.clip.plate.clip_frames(strip, sequence, 6) == range(26, 48)
    assert addon.clip.plate.original_plate(strip, sequence).handles == (0, 0)


def test_a_rendered_plate_goes_on_too(addon, strip, numbers_of):
    strip.color_multiply = 0.9
    plate, numbers = numbers_of(strip, 6)
    assert numbers == list(range(22)) and plate.handles == (4, 6)
    assert (plate.first, plate.frames, plate.strip.first) == (0, 22, 30)
    assert (addon.versions.first_frame(strip), addon.versions.end_frame(strip)) == (30, 42)


def test_reversed_handles_are_what_the_strip_would_show(strip, numbers_of):
    strip.use_reverse_frames = True
    assert numbers_of(strip, 2)[1] == [21, 20, *range(19, 7, -1), 7, 6]


def test_a_split_in_two_has_the_other_part_as_its_handle(addon, sequence, strip, numbers_of):
    strip.color_multiply = 0.9
    later = strip.split(36, "SOFT")
    plate, numbers = numbers_of(later, 2)
    assert plate.handles == (2, 2) and numbers == list(range(8, 18))


def test_a_hard_split_and_a_held_end_leave_nothing_to_show(addon, sequence, strip):
    later = strip.split(36, "HARD")
    plate = addon.clip.plate.original_plate(later, sequence, 2)
    assert (plate.handles, plate.first) == ((0, 2), 10)
    addon.versions.set_end_frame(later, 60)
    assert addon.clip.plate.clip_frames(later, sequence, 2) == range(36, 60)


def test_inside_a_meta_that_hides_them_there_are_handles_all_the_same(
    addon, sequence, strip, numbers_of
):
    meta = strips_of(sequence).new_meta("M", 5, 30)
    strip.move_to_meta(meta)
    strip.color_multiply = 0.9
    plate, numbers = numbers_of(strip, 3)
    assert plate.handles == (3, 3) and numbers == list(range(1, 19))


def test_handles_before_frame_0(addon, strip, numbers_of):
    strip.color_multiply = 0.9
    addon.versions.move(strip, -28)
    plate, numbers = numbers_of(strip, 4)
    assert plate.strip.first == 2 and plate.handles == (4, 4)
    assert numbers == list(range(20))


def test_a_keyed_strip_has_no_handles_before_frame_0(addon, sequence, strip, numbers_of):
    addon.versions.move(strip, -28)
    strip.keyframe_insert("color_multiply", frame=2)
    plate, numbers = numbers_of(strip, 4)
    assert plate.handles == (2, 4) and numbers == list(range(2, 20))
