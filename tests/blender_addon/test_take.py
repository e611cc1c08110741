"""Takes: in the original's place and time, on a free channel, undone in one step."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def strip(sequence, clip):
    return strips_of(sequence).new_movie("shot", str(clip), 2, 11)


@pytest.fixture
def plate(addon, sequence, strip):
    return addon.clip.plate.original_plate(strip, sequence)


@pytest.fixture
def place(addon, clip):
    """Places the clip itself as a result."""

    def run(plate, path=clip, content=(160, 96), settings=None):
        result = addon.takes.place.Result(path, content, settings or {"engine": "test"})
        return addon.takes.place.place_takes(plate, [result])[0]

    return run


def test_a_take_lies_above_in_the_originals_time_and_place(sequence, strip, plate, place):
    strip.select = True
    take = place(plate, settings={"engine": "projection", "subject": "Küche"})
    assert take.name == "shot take 1" and take.channel == 3
    assert (take.frame_final_start, take.frame_final_duration) == (11, 24)
    assert (take.transform.scale_x, take.transform.offset_x) == (1.0, 0.0)
    assert json.loads(take["recam"]) == {"engine": "projection", "subject": "Küche"}
    assert sequence.sequence_editor.active_strip == take
    assert [s.name for s in strips_of(sequence) if s.select] == [take.name]


def test_the_original_is_muted_and_otherwise_untouched(strip, plate, place):
    def state():
        simple = {"INT", "FLOAT", "STRING", "BOOLEAN", "ENUM"}
        own = {p.identifier for p in strip.bl_rna.properties if p.type in simple}
        return {name: repr(getattr(strip, name)) for name in own - {"mute", "select"}}

    before, keys = state(), list(strip.keys())
    place(plate)
    assert strip.mute
    assert state() == before and list(strip.keys()) == [*keys, "recam_strip"]


def test_the_next_take_goes_above_and_counts_on(strip, plate, place, addon, sequence):
    first, second = place(plate), place(plate)
    assert (second.name, second.channel) == ("shot take 2", first.channel + 1)
    third = place(addon.clip.plate.original_plate(second, sequence))
    assert third.name == "shot take 3"


@pytest.fixture
def place_all(addon, clip):
    """Places results at these paths."""

    def run(plate, *paths):
        results = [
            addon.takes.place.Result(path, (160, 96), {"report": {"seed": number}})
            for number, path in enumerate(paths)
        ]
        return addon.takes.place.place_takes(plate, results)

    return run


def test_takes_of_one_job_are_stacked_and_the_first_is_shown(
    sequence, strip, plate, place_all, clip
):
    strips_of(sequence).new_movie("in the way", str(clip), 4, 20)
    takes = place_all(plate, clip, clip, clip)
    assert [take.name for take in takes] == [f"shot take {number}" for number in (1, 2, 3)]
    assert [take.channel for take in takes] == [3, 5, 6]
    assert [take.mute for take in takes] == [False, True, True] and strip.mute
    assert [json.loads(take["recam"])["report"]["seed"] for take in takes] == [0, 1, 2]
    assert {(t.frame_final_start, t.frame_final_duration) for t in takes} == {(11, 24)}
    assert sequence.sequence_editor.active_strip == takes[0]
    assert [s.name for s in strips_of(sequence) if s.select] == ["shot take 1"]


def test_takes_of_one_job_come_together_or_not_at_all(
    sequence, strip, plate, place_all, clip, addon, tmp_path
):
    with pytest.raises(addon.shared.errors.RecamError) as error:
        place_all(plate, clip, tmp_path / "none.mp4")
    assert error.value.code == "take_file"
    assert [s.name for s in strips_of(sequence)] == ["shot"] and not strip.mute


def test_takes_of_one_job_are_one_undo_step(bpy, addon, sequence, clip, place_all):
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11)
    bpy.ops.ed.undo_push(message="the artist's last step")
    place_all(addon.clip.plate.original_plate(strip, sequence), clip, clip)
    bpy.ops.ed.undo()
    assert [(s.name, s.mute) for s in strips_of(bpy.context.scene)] == [("shot", False)]


def test_occupied_muted_and_locked_channels_are_passed_over(sequence, strip, plate, place, clip):
    strips, channels = strips_of(sequence), sequence.sequence_editor.channels
    strips.new_movie("over the end", str(clip), 3, 34)
    strips.new_movie("before", str(clip), 6, -13)
    strips.new_movie("after", str(clip), 6, 35)
    channels[4].mute = True
    channels[5].lock = True
    assert place(plate).channel == 6


def test_with_every_channel_taken_it_says_so(sequence, strip, plate, place, clip, addon):
    for channel in range(3, 129):
        strips_of(sequence).new_movie("full", str(clip), channel, 20)
    before = len(strips_of(sequence))
    with pytest.raises(addon.shared.errors.RecamError) as error:
        place(plate)
    assert error.value.code == "take_channels"
    assert len(strips_of(sequence)) == before and not strip.mute


def test_a_take_follows_a_strip_that_was_moved_trimmed_and_renamed(strip, plate, place):
    strip.frame_start += 30
    strip.channel = 7
    strip.name = "renamed"
    take = place(plate)
    assert (take.frame_final_start, take.channel, take.name) == (41, 8, "renamed take 1")


def test_a_take_covers_what_a_strip_that_was_trimmed_or_cut_meanwhile_still_shows(
    addon, sequence, strip, plate, place
):
    versions = addon.versions
    versions.set_first_frame(strip, 15)
    versions.set_end_frame(strip, 30)
    take = place(plate)
    assert (versions.first_frame(take), versions.end_frame(take)) == (15, 30)
    assert versions.content_start(take) == versions.content_start(strip)  # frame for frame
    strip.split(20, "SOFT")
    take = place(plate)
    assert (versions.first_frame(take), versions.end_frame(take)) == (15, 30)


def test_a_trimmed_strips_take_begins_where_it_begins(addon, sequence, strip, place):
    strip.frame_final_start, strip.frame_final_end = 15, 21
    take = place(addon.clip.plate.original_plate(strip, sequence))
    assert (take.frame_final_start, take.frame_final_end) == (15, 21)


def test_of_a_strip_and_its_copies_the_likest_is_meant(addon, sequence, strip, clip):
    """And it stays itself though its id became another's: a copy's in the same frames."""
    strips, found = addon.clip.strips, addon.clip.strips.find_strip
    strip[strips.ID] = "1"
    marked = strips.mark(strip, sequence)
    copy = strips_of(sequence).new_movie("copy", str(clip), 5, 40)
    copy[strips.ID] = "1"
    assert found(marked) == strip
    strip.name = "renamed"
    assert found(marked) == strip
    strip.name, strip[strips.ID] = "shot", "2"
    assert found(marked) == strip


def test_a_deleted_strip_is_said_and_nothing_placed(sequence, strip, plate, place, addon):
    strips_of(sequence).remove(strip)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        place(plate)
    assert error.value.code == "strip_gone" and "“shot”" in error.value.sentence
    assert len(strips_of(sequence)) == 0


def test_a_result_that_cannot_be_read_is_said(sequence, strip, plate, place, addon, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no movie")
    for path in (tmp_path / "bad.mp4", tmp_path / "none.mp4"):
        with pytest.raises(addon.shared.errors.RecamError) as error:
            place(plate, path)
        assert error.value.code == "take_file"
    assert [s.name for s in strips_of(sequence)] == ["shot"] and not strip.mute


def scaled(strip):
    strip.transform.scale_x = strip.transform.scale_y = 0.75


def cornered_and_mirrored(strip):
    strip.transform.scale_x = strip.transform.scale_y = 0.5
    strip.transform.offset_x, strip.transform.offset_y = 31, -17
    strip.use_flip_x = True


def cropped_by_the_frame(strip):
    strip.transform.offset_x, strip.transform.offset_y = -40, 20


@pytest.mark.parametrize("change", [scaled, cornered_and_mirrored, cropped_by_the_frame])
@pytest.mark.parametrize("double", [False, True])
def test_an_unchanged_result_looks_like_the_original(
    addon, sequence, strip, place, pictures, measure, render_all, tmp_path, change, double
):
    """The plate itself as the result: at its size, and at twice its size with odd padding."""
    change(strip)
    seen = pictures.shown(sequence, range(11, 14))
    if addon.clip.plate.untouched(strip, sequence):
        plate = addon.clip.plate.original_plate(strip, sequence)
    else:
        renderer = addon.clip.plate.PlateRenderer(strip, sequence, tmp_path)
        render_all(renderer)
        plate = renderer.plate()
    frames = pictures.movie(plate.parts, plate.width, plate.height)[:3]
    content = (plate.width, plate.height)
    if double:
        frames = frames.repeat(2, axis=1).repeat(2, axis=2)[:, :-1, :-1]
        content = frames.shape[2], frames.shape[1]
        frames = np.pad(frames, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=1.0)
    result = pictures.write("result", frames)
    take = place(replace(plate, frames=3), result, content)
    assert (take.use_flip_x, take.transform.rotation) == (False, 0.0)
    again = pictures.shown(sequence, range(11, 14))
    rect = plate.rect
    rows = slice(int(rect.top) + 1, int(rect.top + rect.height) - 1)
    columns = slice(int(rect.left) + 1, int(rect.left + rect.width) - 1)
    assert measure.psnr(again[:, rows, columns], seen[:, rows, columns]) > 24
    outside = again.copy()
    outside[:, rows.start - 1 : rows.stop + 1, columns.start - 1 : columns.stop + 1] = 0
    assert outside.max() < 0.05


def test_a_take_is_one_undo_step(bpy, addon, sequence, clip, place):
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11)
    bpy.ops.ed.undo_push(message="the artist's last step")
    place(addon.clip.plate.original_plate(strip, sequence))
    bpy.ops.ed.undo()
    assert [(s.name, s.mute) for s in strips_of(bpy.context.scene)] == [("shot", False)]
    bpy.ops.ed.redo()
    assert {s.name: s.mute for s in strips_of(bpy.context.scene)} == {
        "shot": True,
        "shot take 1": False,
    }


def test_blend_and_opacity_go_with_the_take(strip, addon, sequence, place):
    strip.blend_type, strip.blend_alpha = "ADD", 0.5
    take = place(addon.clip.plate.original_plate(strip, sequence))
    assert (take.blend_type, take.blend_alpha) == ("ADD", 0.5)


def test_a_long_name_keeps_its_number(strip, addon, sequence, place):
    strip.name = "ü" * 31
    plate = addon.clip.plate.original_plate(strip, sequence)
    assert [place(plate).name[-7:] for _ in range(2)] == [" take 1", " take 2"]


def test_in_a_saved_file_the_takes_path_is_relative(bpy, strip, plate, place, clip, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    take = place(plate)
    assert take.filepath.startswith("//")
    assert bpy.path.abspath(take.filepath).endswith(clip.name)
