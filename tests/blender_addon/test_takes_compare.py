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


def test_nothing_is_shown_twice_and_undo_gives_it_back(bpy, sequence, shot):
    sequence.sequence_editor.active_strip = shot[2]
    bpy.ops.ed.undo_push(message="the artist's last step")
    bpy.ops.recam.show_take(strip="shot take 1")
    assert shown(sequence) == ["shot take 1"]
    assert sequence.sequence_editor.active_strip.name == "shot take 1"
    bpy.ops.ed.undo_push(message="Show This")
    bpy.ops.ed.undo()
    assert shown(bpy.context.scene) == ["shot take 2"]


def test_one_take_is_approved_and_the_rest_is_muted(bpy, sequence, shot):
    strip, red, blue = shot
    red.color_tag, editor = "COLOR_01", sequence.sequence_editor
    editor.active_strip = red
    bpy.ops.recam.approve_take()
    assert shown(sequence) == ["shot take 1"] and red.color_tag == "COLOR_04"
    editor.active_strip = blue
    bpy.ops.recam.approve_take()
    assert shown(sequence) == ["shot take 2"] and red.color_tag == "COLOR_01"
    assert "recam_approved" in blue and "recam_approved" not in red
    bpy.ops.recam.unapprove_take()
    assert blue.color_tag == "NONE" and shown(sequence) == ["shot take 2"]
    editor.active_strip = strip
    bpy.ops.recam.compare_toggle()
    assert shown(sequence) == ["shot"]
    editor.active_strip = red
    bpy.ops.recam.approve_take()
    editor.active_strip = strip
    bpy.ops.recam.compare_toggle()
    bpy.ops.recam.compare_toggle()
    assert shown(sequence) == ["shot take 1"]  # the approved one, not the topmost


def test_the_wipe_shows_the_original_left_and_the_take_right(bpy, sequence, shot, pictures):
    """And leaves nothing behind."""
    _strip, red, _blue = shot
    bpy.ops.recam.show_take(strip="shot")
    original = pictures.shown(sequence, [15])[0]
    sequence.sequence_editor.active_strip = red
    before = shown(sequence), len(strips_of(sequence))
    bpy.ops.recam.compare_wipe()
    (wipe,) = [s for s in strips_of(sequence) if s.type == "WIPE"]
    assert sequence.sequence_editor.active_strip == red
    for share in (0.25, 0.75):
        wipe.effect_fader = share
        picture = pictures.shown(sequence, [15])[0]
        line = round(160 * (1 - share))
        assert np.abs(picture[:, : line - 3] - original[:, : line - 3]).max() < 0.05
        assert picture[:, line + 3 :, 0].min() > 0.9 and picture[:, line + 3 :, 1:].max() < 0.1
    bpy.ops.recam.compare_wipe()
    assert (shown(sequence), len(strips_of(sequence))) == before
    bpy.ops.recam.compare_wipe()
    sequence.sequence_editor.active_strip = next(s for s in strips_of(sequence) if s.type == "WIPE")
    bpy.ops.recam.compare_toggle()  # on the wipe itself, it is the take's
    assert len(strips_of(sequence)) == before[1] and shown(sequence) == ["shot take 1"]


def test_no_wipe_over_frames_that_the_two_do_not_share(bpy, addon, sequence, shot):
    _strip, red, blue = shot
    addon.versions.move(red, 20)  # it holds the family together
    addon.versions.move(blue, 40)
    sequence.sequence_editor.active_strip = blue
    with pytest.raises(RuntimeError, match="original of “shot take 2” is not below"):
        bpy.ops.recam.compare_wipe()
    assert len(strips_of(sequence)) == 3


def test_both_halves_of_a_cut_original_belong_to_its_take(bpy, addon, sequence, shot):
    strip, red, _blue = shot
    strip.split(20, "SOFT")
    family = addon.takes.family.family_of(red, sequence)
    assert len(family.originals) == 2 and len(family.takes) == 2
    sequence.sequence_editor.active_strip = red
    bpy.ops.recam.compare_toggle()
    assert not any(part.mute for part in family.originals)
    assert all(take.mute for take in family.takes)
    sequence.frame_set(25)
    assert addon.versions.first_frame(addon.takes.family.original_at(red, sequence)) == 20


def test_a_half_that_no_shown_take_covers_is_shown_itself(bpy, sequence, shot, takes_of):
    strip, red, _blue = shot
    second = strip.split(20, "SOFT")
    (green,) = takes_of(strip, "green")
    assert not green.mute and strip.mute and red.mute and not second.mute
    bpy.ops.recam.show_take(strip=red.name)
    assert green.mute and strip.mute and not red.mute and second.mute


def test_where_everything_was_cut_each_side_is_for_itself(addon, sequence, shot):
    strip, red, blue = shot
    halves = [each.split(20, "SOFT") for each in shot]
    family = addon.takes.family.family_of(halves[1], sequence)
    assert [addon.versions.first_frame(each) for each in family.strips] == [20, 20, 20]
    assert addon.takes.family.family_of(strip, sequence).strips == [strip, red, blue]


@pytest.fixture
def in_sequencer(bpy):
    """Runs something as if the pointer were over the sequencer."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(r for r in area.regions if r.type == "WINDOW")
    return lambda: bpy.context.temp_override(window=window, area=area, region=region)


def select(sequence, *strips):
    for each in strips_of(sequence):
        each.select = each in strips
    sequence.sequence_editor.active_strip = strips[-1]


def test_a_copy_elsewhere_goes_with_the_takes_that_were_copied_with_it(
    bpy, addon, sequence, shot, in_sequencer
):
    family_of = addon.takes.family.family_of
    strip, red, blue = shot
    select(sequence, strip, red)
    with in_sequencer():
        bpy.ops.sequencer.duplicate()
    copies = [each for each in strips_of(sequence) if each not in shot]
    for each in copies:
        addon.versions.move(each, 100)
    assert len(copies) == 2
    assert set(map(str, family_of(copies[0], sequence).strips)) == set(map(str, copies))
    assert family_of(strip, sequence).strips == [strip, red, blue]


def test_a_copy_without_takes_in_the_same_frames_gets_its_own(
    bpy, addon, sequence, shot, in_sequencer, takes_of
):
    family_of = addon.takes.family.family_of
    strip, red, blue = shot
    select(sequence, strip)
    with in_sequencer():
        bpy.ops.sequencer.duplicate()
    (copy,) = [each for each in strips_of(sequence) if each not in shot]
    copy.channel = 8
    (green,) = takes_of(copy, "green")
    assert family_of(green, sequence).strips == [copy, green]
    assert family_of(red, sequence).strips == [strip, red, blue]


def test_nor_does_a_copy_take_the_takes_of_its_original_when_that_is_shot_again(
    bpy, addon, sequence, shot, in_sequencer, takes_of
):
    strip, red, blue = shot
    select(sequence, strip)
    with in_sequencer():
        bpy.ops.sequencer.duplicate()
    (copy,) = [each for each in strips_of(sequence) if each not in shot]
    copy.channel = 8
    (green,) = takes_of(strip, "green")
    assert set(addon.takes.family.family_of(strip, sequence).takes) == {red, blue, green}
    assert addon.takes.family.family_of(copy, sequence).strips == [copy]


def test_reshoot_on_a_take_means_its_original(addon, sequence, shot, takes_of):
    strip, red, _blue = shot
    to_reshoot = addon.takes.family.to_reshoot
    sequence.sequence_editor.active_strip = red
    assert to_reshoot(sequence) == strip
    takes_of(red, "green")  # the take itself was re-shot: it is what the new one came from
    assert to_reshoot(sequence) == red
    assert len(addon.takes.family.family_of(strip, sequence).takes) == 3
    strips_of(sequence).remove(strip)
    sequence.sequence_editor.active_strip = red
    assert to_reshoot(sequence) == red  # there is nothing else


def test_without_takes_or_without_the_original_it_says_so(bpy, sequence, shot, clip):
    strip, red, _blue = shot
    sequence.sequence_editor.active_strip = red
    strips_of(sequence).remove(strip)
    for operator in (bpy.ops.recam.compare_toggle, bpy.ops.recam.compare_wipe):
        with pytest.raises(RuntimeError, match="original of “shot take 1” is not below"):
            operator()
    other = strips_of(sequence).new_movie("other", str(clip), 7, 11)
    sequence.sequence_editor.active_strip = other
    for operator in (bpy.ops.recam.compare_toggle, bpy.ops.recam.approve_take):
        with pytest.raises(RuntimeError, match="Select a take"):
            operator()


def test_in_a_meta_strip_takes_are_compared_as_well(bpy, sequence, shot):
    strip, red, blue = shot
    meta = strips_of(sequence).new_meta("scene 1", 9, 11)
    for each in shot:
        each.move_to_meta(meta)
    sequence.sequence_editor.active_strip = red
    bpy.ops.recam.compare_toggle()
    assert (strip.mute, red.mute, blue.mute) == (False, True, True)
    bpy.ops.recam.compare_wipe()
    assert [s.name for s in strips_of(sequence)] == ["scene 1"]
    bpy.ops.recam.compare_wipe()
    bpy.ops.recam.approve_take()
    assert (strip.mute, red.mute, blue.mute) == (True, False, True)
