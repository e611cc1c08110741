"""Strips that are not a plain movie file: each goes the whole way, to CG over its take."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_fixtures import strips_of, trim

FIRST = 11


@pytest.fixture
def strips(sequence, saved):
    return strips_of(sequence)


@pytest.fixture
def size(sequence):
    def run(width, height):
        sequence.render.resolution_x, sequence.render.resolution_y = width, height

    return run


def test_a_meta_strip(addon, strips, clip, whole_way):
    first, second = (strips.new_movie(name, str(clip), 2, FIRST) for name in ("one", "two"))
    trim(first, end=FIRST + 6)
    trim(second, first=FIRST + 6, end=FIRST + 12)
    meta = strips.new_meta("scene", 5, FIRST)
    for strip in (first, second):
        strip.move_to_meta(meta)
    trim(meta, end=FIRST + 12)
    whole_way(meta)


def test_a_scene_strip(bpy, strips, clip, whole_way):
    inner = bpy.data.scenes.new("inner")
    inner.sequence_editor_create()
    strips_of(inner).new_movie("movie", str(clip), 1, 1)
    inner.render.resolution_x, inner.render.resolution_y = 160, 96
    inner.frame_start, inner.frame_end = 1, 8
    strip = strips.new_scene("edit", inner, 1, FIRST)
    strip.scene_input = "SEQUENCER"
    whole_way(strip)


def test_an_image_sequence(strips, pictures, measure, whole_way):
    files = sorted(pictures.write("still", measure.numbered(8, 160, 96)).parent.glob("still_*.png"))
    strip = strips.new_image("still", str(files[0]), 1, FIRST)
    for file in files[1:]:
        strip.elements.append(file.name)
    whole_way(strip)


@pytest.mark.parametrize("frames", [1, 2])
def test_a_strip_of_one_or_two_frames(strips, clip, whole_way, frames):
    strip = strips.new_movie("short", str(clip), 2, FIRST)
    trim(strip, end=FIRST + frames)
    whole_way(strip)


def test_a_vertical_clip_becomes_the_frame(sequence, strips, pictures, measure, whole_way):
    movie = pictures.write("tall", measure.numbered(8, 96, 160))
    whole_way(strips.new_movie("tall", str(movie), 2, FIRST, fit_method="ORIGINAL"))
    assert (sequence.render.resolution_x, sequence.render.resolution_y) == (96, 160)


def test_a_clip_of_odd_size(sequence, strips, pictures, whole_way, size, tmp_path, bpy):
    """Pictures may have any size, and so the frame becomes odd as well."""
    size(161, 97)
    image = bpy.data.images.new("odd", 161, 97)
    image.pixels[:] = np.full((97, 161, 4), 0.7, np.float32).ravel()
    image.filepath_raw, image.file_format = str(tmp_path / "odd.png"), "PNG"
    image.save()
    strip = strips.new_image("odd", image.filepath_raw, 2, FIRST, fit_method="ORIGINAL")
    trim(strip, end=FIRST + 4)
    whole_way(strip)
    assert (sequence.render.resolution_x, sequence.render.resolution_y) == (161, 97)


def test_a_strip_at_negative_frames(strips, clip, whole_way):
    whole_way(strips.new_movie("early", str(clip), 2, -30))


def test_a_strip_across_frame_0(strips, clip, whole_way):
    strip = strips.new_movie("across", str(clip), 2, -5)
    strip.crop.min_x = 10  # so that it is rendered
    whole_way(strip)


@pytest.mark.parametrize("what", ["mute", "lock"])
def test_a_strip_in_a_muted_or_locked_channel(sequence, strips, clip, whole_way, what):
    strip = strips.new_movie("aside", str(clip), 2, FIRST)
    trim(strip, end=FIRST + 8)
    setattr(sequence.sequence_editor.channels[2], what, True)
    made = whole_way(strip)
    assert made.take.channel == 3


@pytest.mark.parametrize("name", ["Straße 北京 ☕", "s" * 60, "..", "a/b\\c:d"])
def test_a_strip_with_an_odd_name(strips, clip, whole_way, name, saved):
    strip = strips.new_movie("shot", str(clip), 2, FIRST)
    trim(strip, end=FIRST + 4)
    strip.name = name
    made = whole_way(strip)
    assert made.take.name.endswith("take 1")
    assert len(list(saved.glob("*_take_001.mp4"))) == 1
