"""Which strip the buttons are about."""

from __future__ import annotations

import pytest

from tests.blender_fixtures import CLIPS


@pytest.fixture
def added(bpy, sequence, addon):
    """A movie and its sound, as Blender adds them: the sound is the active strip."""
    if not bpy.app.build_options.audaspace:
        pytest.skip("this Blender was built without sound")
    strips, file = addon.versions.strips(sequence.sequence_editor), str(CLIPS / "bigbuckbunny.mp4")
    movie = strips.new_movie("bunny", file, channel=2, frame_start=5)
    sound = strips.new_sound("bunny.001", file, channel=1, frame_start=5)
    sequence.sequence_editor.active_strip = sound
    return movie, sound


def test_a_movie_is_meant_where_its_sound_is_active(sequence, addon, added):
    movie, _sound = added
    assert addon.clip.strips.active_strip(sequence) == movie


def test_a_sound_of_another_place_or_file_is_itself(sequence, addon, added):
    movie, sound = added
    addon.versions.move(movie, 3)
    assert addon.clip.strips.active_strip(sequence) == sound
    addon.versions.move(movie, -3)
    movie.filepath = str(CLIPS / "cityCC0.mpg")
    assert addon.clip.strips.active_strip(sequence) == sound
