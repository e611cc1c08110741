"""Back to a take's shot: its camera and settings, from the file beside it, and the same again."""

from __future__ import annotations

import json
from math import radians
from pathlib import Path

import numpy as np
import pytest

from tests.blender_fixtures import strips_of

FIRST, LAST = 11, 16


@pytest.fixture
def flown(camera):
    """The camera moves, turns past half a turn, zooms and shifts; its keys reach further."""
    for frame, place, turn, lens, shift in (
        (FIRST, (0, 0, 0), (90, 0, 170), 45, 0.02),
        (LAST, (0.3, -0.5, 0.1), (92, 3, 190), 55, -0.03),
        (LAST + 10, (1, -2, 0), (90, 0, 180), 50, 0),
    ):
        camera.location = place
        camera.rotation_euler = [radians(angle) for angle in turn]
        camera.data.lens, camera.data.shift_x = lens, shift
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
        camera.data.keyframe_insert("lens", frame=frame)
        camera.data.keyframe_insert("shift_x", frame=frame)
    return camera


@pytest.fixture
def sidecar(addon):
    """The cameras and the record beside a take."""

    def run(take):
        return addon.takes.sidecar.read_sidecar(addon.clip.strips.file_of(take))

    return run


@pytest.fixture
def small(sequence, pictures, measure):
    sequence.recam.engine = "projection"
    return pictures.write("small", measure.numbered(LAST - FIRST + 1, 160, 96))


def shift_the_move(camera):
    for owner in (camera, camera.data):
        owner.animation_data_clear()
    camera.location, camera.data.lens, camera.data.shift_x = (5, 5, 5), 20, 0.2
    camera.rotation_euler = (0, 0, 0)


def test_the_file_beside_a_take_tells_its_shot(
    sequence, flown, lay, small, saved, reshoot, take_of, sidecar
):
    lay(small)
    take = take_of(reshoot(), sequence)
    shot, record = sidecar(take)
    assert len(shot.trajectory) == LAST - FIRST + 1 and shot.trajectory.rate == 24
    assert record["clip"] == "shot" and record["content_size"] == [160, 96]
    assert record["engine"] == "projection" and Path(record["blend"]).name == "shot.blend"
    assert record["report"] == json.loads(take["recam"])["report"]


def fitted(strip):
    strip.transform.scale_x = strip.transform.scale_y = 0.7
    strip.transform.offset_x = 12


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "QUATERNION", "AXIS_ANGLE"])
@pytest.mark.parametrize("change", [lambda strip: None, fitted], ids=["filling", "fitted"])
def test_a_restored_camera_shoots_the_same_take_again(
    bpy, sequence, flown, lay, small, saved, reshoot, take_of, sidecar, mode, change
):
    sequence.unit_settings.scale_length = 0.5
    strip = lay(small)
    change(strip)
    sequence.recam.subject_distance = 6.0
    take = take_of(reshoot(), sequence)
    before, _ = sidecar(take)
    shift_the_move(flown)
    flown.rotation_mode = mode
    sequence.recam.subject_distance = 1.0
    assert bpy.ops.recam.restore_take() == {"FINISHED"}
    assert sequence.recam.subject_distance == pytest.approx(6.0)
    again = take_of(reshoot(), sequence)  # of the original, though the take is active
    after, record = sidecar(again)
    assert record["clip"] == "shot" and again.name == "shot take 2"
    assert np.abs(after.trajectory.poses - before.trajectory.poses).max() < 1e-5
    assert np.abs(after.trajectory.lenses - before.trajectory.lenses).max() < 1e-5


def test_keys_outside_the_take_stay(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, take_of
):
    lay(small)
    take_of(reshoot(), sequence)
    bpy.ops.recam.restore_take()
    frames = {
        point.co[0]
        for curve in addon.versions.curves(flown.animation_data)
        for point in curve.keyframe_points
    }
    assert frames == {*range(FIRST, LAST + 1), LAST + 10}


def test_a_camera_that_hangs_on_something_is_left_alone(
    bpy, sequence, flown, lay, small, saved, reshoot, take_of
):
    lay(small)
    take = take_of(reshoot(), sequence)
    flown.constraints.new("COPY_LOCATION")
    before = [tuple(row) for row in flown.matrix_basis], flown.data.lens
    bpy.ops.recam.restore_take()
    assert ([tuple(row) for row in flown.matrix_basis], flown.data.lens) == before
    assert sequence.recam.camera.name == f"{take.name} camera"


def test_without_the_file_beside_it_a_take_says_what_is_missing(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, take_of
):
    lay(small)
    take = take_of(reshoot(), sequence)
    addon.clip.strips.file_of(take).with_suffix(".json").unlink()
    lens = flown.data.lens
    for operator in (bpy.ops.recam.restore_take, bpy.ops.recam.cg_over_take):
        with pytest.raises(RuntimeError, match=r"take_001\.json"):
            operator()
    assert flown.data.lens == lens and sequence.recam.camera is None


def test_redo_shoots_the_original_with_the_takes_settings_and_the_camera_as_it_is(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, take_of, sidecar
):
    strip = lay(small)
    first = take_of(reshoot(), sequence)
    shift_the_move(flown)
    sequence.recam.engine = "recammaster"
    bpy.ops.recam.redo_take()
    assert sequence.recam.engine == "projection"
    second = take_of(addon.jobs.running.jobs[-1], sequence)
    assert (second.name, second.channel) == ("shot take 2", first.channel + 1)
    shot, record = sidecar(second)
    assert record["clip"] == strip.name and np.allclose(shot.trajectory.poses[0][:3, 3], 5)
    assert first.mute and strip.mute and not second.mute


def test_a_redo_that_cannot_begin_says_why_and_leaves_the_panel(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, take_of
):
    strip = lay(small)
    take_of(reshoot(), sequence)
    sequence.recam.engine = "recammaster"
    strip.filepath = "//gone.mp4"
    jobs = len(addon.jobs.running.jobs)
    with pytest.raises(RuntimeError, match="gone"):
        bpy.ops.recam.redo_take()
    assert sequence.recam.engine == "recammaster" and len(addon.jobs.running.jobs) == jobs


def test_a_camera_in_another_scene_is_restored_there(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, take_of, sidecar
):
    """Blender 5: the sequencer's scene may be another than the cameras'."""
    stage = bpy.data.scenes.new("Stage")
    sequence.collection.objects.unlink(flown)
    stage.collection.objects.link(flown)
    sequence.recam.camera, sequence.camera = flown, None
    stage.unit_settings.scale_length = 2.0
    lay(small)
    take = take_of(reshoot(), sequence)
    before, _ = sidecar(take)
    flown.constraints.new("COPY_LOCATION")
    bpy.ops.recam.restore_take()
    assert sequence.recam.camera != flown and sequence.recam.camera.users_scene == (stage,)
    after, _ = sidecar(take_of(reshoot(), sequence))
    assert np.abs(after.trajectory.poses - before.trajectory.poses).max() < 1e-5


def test_a_take_itself_can_be_reshot(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, take_of, sidecar
):
    lay(small)
    first = take_of(reshoot(), sequence)
    bpy.ops.recam.reshoot(itself=True)
    second = take_of(addon.jobs.running.jobs[-1], sequence)
    assert sidecar(second)[1]["clip"] == first.name
    assert addon.takes.family.to_reshoot(sequence) == first  # redo goes back to what it was made of


def test_the_models_settings_come_back_with_this_takes_own_seed(addon, sequence, small, lay):
    take = lay(small)
    take["recam"] = json.dumps(
        {
            "engine": "recammaster",
            "settings": {"prompt": "A street", "takes": 3, "seed": 7, "quality": "fast"},
            "report": {"seed": 9},
        }
    )
    sequence.recam.lens = "outpaint"
    addon.takes.again.apply_settings(take, sequence)
    settings = sequence.recam
    assert (settings.engine, settings.prompt, settings.quality) == (
        "recammaster",
        "A street",
        "fast",
    )
    assert (settings.takes, settings.seed, settings.lens) == (1, 9, "refuse")


def test_takes_of_a_read_only_folder_are_kept_elsewhere_and_said(
    bpy, addon, sequence, flown, lay, small, saved, reshoot, drive
):
    saved.write_text("no folder")  # where the folder for takes would be
    lay(small)
    job = drive(reshoot())
    assert job.error is None and "Gather Takes" in job.remarks[0]
    take = strips_of(sequence)[job.take]
    file = addon.clip.strips.file_of(take)
    assert file.is_relative_to(addon.takes.folder.own_folder())
    saved.unlink()
    bpy.ops.recam.gather_takes()
    assert [each.suffix for each in sorted(saved.iterdir())] == [".json", ".mp4"]
    bpy.ops.wm.save_mainfile()
    assert not file.exists()


def test_a_retimed_originals_take_lasts_as_long_and_shows_the_same(
    bpy, addon, sequence, camera, lay, clip, saved, reshoot, take_of, pictures, measure
):
    """The take itself is not retimed, so that its camera goes with its frames."""
    sequence.recam.engine = "projection"
    strip = lay(clip)
    strip.select = True
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    region = next(r for r in area.regions if r.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.sequencer.retiming_key_add(timeline_frame=20)
        bpy.ops.sequencer.retiming_segment_speed_set(speed=50)
    frames = range(*addon.takes.family.first_and_end(strip))
    before = measure.numbers(pictures.shown(sequence, frames))
    take = take_of(reshoot(), sequence)
    assert range(*addon.takes.family.first_and_end(take)) == frames and len(frames) > 34
    after = measure.numbers(pictures.shown(sequence, frames))
    assert np.abs(np.subtract(after, before)).max() <= 1  # half-way, either frame may be shown
    assert bpy.ops.recam.cg_over_take() == {"FINISHED"}
    assert (sequence.frame_start, sequence.frame_end) == (frames[0], frames[-1])
