"""Which strips are sent as their file, with which frames; which give no plate, and why."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import shown_frames, strips_of, trim


@pytest.fixture
def strip(sequence, clip):
    """The numbered clip from frame 11 on, untouched."""
    return strips_of(sequence).new_movie("Städte, 1. Take", str(clip), 1, 11)


def trimmed(strip):
    trim(strip, 14, 31)


def split(strip):
    strip.split(20, "HARD")


def test_a_strip_scaled_to_nothing_is_not_sent_as_its_file(addon, sequence, strip):
    strip.transform.scale_y = 0
    assert not addon.clip.plate.untouched(strip, sequence)


def test_an_untouched_strip_is_sent_as_its_file(addon, sequence, strip, clip):
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert addon.clip.plate.untouched(strip, sequence)
    assert plate.parts == [clip]
    assert (plate.first, plate.frames, plate.rate) == (0, 24, Fraction(24))
    assert (plate.width, plate.height, plate.original) == (160, 96, True)
    assert plate.rect == addon.clip.layout.Rect(0, 0, 160, 96)


@pytest.mark.parametrize("cut", [trimmed, split])
def test_a_trimmed_strip_is_sent_as_its_file_with_in_and_out_points(
    addon, sequence, strip, pictures, measure, cut
):
    cut(strip)
    for piece in strips_of(sequence):
        assert addon.clip.plate.untouched(piece, sequence)
        plate = addon.clip.plate.original_plate(piece, sequence)
        frames = shown_frames(piece)
        shown = measure.numbers(pictures.shown(sequence, (frames[0], frames[-1])))
        assert shown == [plate.first, plate.first + plate.frames - 1]


def test_a_trimmed_file_that_blender_shifted_hard_keeps_its_frames(
    addon, sequence, strip, pictures, measure
):
    renamed = hasattr(strip, "content_trim_start")  # in Blender 5.1
    setattr(strip, "content_trim_start" if renamed else "animation_offset_start", 5)
    trim(strip, shown_frames(strip)[0] + 2)
    plate = addon.clip.plate.original_plate(strip, sequence)
    shown = pictures.shown(sequence, [shown_frames(strip)[0], shown_frames(strip)[-1]])
    assert measure.numbers(shown) == [plate.first, plate.first + plate.frames - 1]
    assert plate.first == 7


def test_a_scaled_strip_inside_the_frame_is_sent_as_its_file(addon, sequence, strip):
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert addon.clip.plate.untouched(strip, sequence)
    assert plate.rect == addon.clip.layout.Rect(40, 24, 80, 48)


def test_a_path_relative_to_the_blend_file_is_found(bpy, addon, sequence, strip, clip, tmp_path):
    (tmp_path / "Fußball clips").mkdir()
    shutil.copy(clip, tmp_path / "Fußball clips" / "größe 1.mp4")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    strip.filepath = "//Fußball clips/größe 1.mp4"
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert plate.parts == [tmp_path / "Fußball clips" / "größe 1.mp4"]


def nothing(sequence, strip, new_effect):
    return None


def a_colour(sequence, strip, new_effect):
    return new_effect("COLOR", "red")


def without_its_file(sequence, strip, new_effect):
    strip.filepath = "//not/here.mp4"
    return strip


def pushed_out_of_the_frame(sequence, strip, new_effect):
    strip.transform.offset_x = 500
    return strip


WRONG = {
    nothing: ("strip_none", "Select one"),
    a_colour: ("strip_kind", "“red” is a color strip"),
    without_its_file: ("strip_file", "here.mp4"),
    pushed_out_of_the_frame: ("strip_hidden", "“Städte, 1. Take”"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_strip_that_gives_no_plate_is_refused_in_words(addon, sequence, strip, new_effect, wrong):
    code, words = WRONG[wrong]
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(wrong(sequence, strip, new_effect), sequence)
    assert error.value.code == code and words in str(error.value)


def test_a_file_that_is_no_movie_is_refused(addon, sequence, strip, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(bytes(1000))
    broken = strips_of(sequence).new_movie("broken", str(tmp_path / "broken.mp4"), 2, 1)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        addon.clip.plate.check(broken, sequence)
    assert error.value.code == "strip_file"


def test_real_footage_of_odd_height_is_sent_as_its_file(addon, sequence):
    city = Path(__file__).resolve().parents[1] / "clips" / "cityCC0.mpg"
    sequence.render.resolution_x, sequence.render.resolution_y = 1280, 720
    sequence.render.fps = 25
    strip = strips_of(sequence).new_movie("city", str(city), 1, 1)
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert addon.clip.plate.untouched(strip, sequence)
    assert (plate.width, plate.height, plate.frames) == (720, 405, 190)
    assert plate.rect == addon.clip.layout.Rect(280, 158, 720, 405)
    assert np.isclose(float(plate.rate), 25)
