"""Files and scenes that are not as usual: each goes the whole way, or says what to do."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest

from tests.blender_fixtures import strips_of, trim

FIRST = 11


@pytest.fixture
def strip(sequence, clip):
    """The first eight frames of the clip."""
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, FIRST)
    trim(strip, end=FIRST + 8)
    return strip


def new_camera(bpy, name="Camera"):
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    camera.rotation_euler.x = pi / 2
    return camera


def test_a_file_that_was_never_saved(bpy, addon, strip, whole_way, tmp_path, monkeypatch):
    monkeypatch.setenv("RECAM_TAKES", str(tmp_path))
    made = whole_way(strip)
    assert not bpy.data.filepath and not made.take.filepath.startswith("//")
    assert addon.clip.strips.file_of(made.take).is_relative_to(addon.takes.folder.own_folder())


def test_a_folder_that_cannot_be_written_to(addon, strip, whole_way, saved):
    saved.write_text("in the way of the folder for takes")
    strip.crop.min_x = 8  # so that its picture for the 3D view has to be kept somewhere, too
    made = whole_way(strip)
    own = addon.takes.folder.own_folder()
    assert addon.clip.strips.file_of(made.take).is_relative_to(own)
    [job] = addon.jobs.running.jobs
    assert any(str(saved) in remark and str(own) in remark for remark in job.remarks)


def test_a_rate_of_23_976(sequence, strip, whole_way, saved):
    sequence.render.fps, sequence.render.fps_base = 24, 1.001
    made = whole_way(strip)
    assert made.take.fps == pytest.approx(24 / 1.001, abs=1e-3)
    assert sequence.render.fps / sequence.render.fps_base == pytest.approx(24 / 1.001)


@pytest.mark.parametrize("rendered", [False, True])
def test_half_the_resolution(sequence, strip, whole_way, saved, rendered):
    """The percentage is the artist's, for quick renders: the take is whole."""
    sequence.render.resolution_percentage = 50
    strip.use_flip_x = rendered
    made = whole_way(strip)
    assert sequence.render.resolution_percentage == 50
    element = made.take.elements[0]
    assert (element.orig_width, element.orig_height) == (160, 96)


def test_a_scene_in_centimetres(sequence, strip, whole_way, saved):
    sequence.unit_settings.scale_length = 0.01
    made = whole_way(strip)
    assert made.source.location.z == pytest.approx(160)


def test_a_scene_with_a_camera_of_its_own(bpy, sequence, strip, whole_way, saved):
    own = new_camera(bpy, "Own")
    own.location = 1, 2, 3
    sequence.collection.objects.link(own)
    sequence.camera = own
    made = whole_way(strip)
    assert tuple(made.source.location) == (1, 2, 3) and own not in (made.camera, made.source)
    assert own.animation_data is None


def test_a_camera_that_is_linked_from_a_library(bpy, sequence, strip, whole_way, saved, tmp_path):
    """It is left alone: the rig has cameras of its own, where it stands."""
    linked = link(bpy, sequence, tmp_path)
    made = whole_way(strip)
    assert made.source.library is None and made.camera.library is None
    np.testing.assert_allclose(made.source.matrix_world, linked.matrix_world, atol=1e-6)


def test_a_linked_camera_that_was_chosen_takes_no_move_but_a_reshoot(
    bpy, sequence, strip, saved, tmp_path, reshoot, take_of
):
    sequence.recam.camera = link(bpy, sequence, tmp_path)
    sequence.sequence_editor.active_strip = strip
    with pytest.raises(RuntimeError, match=r"from which it is linked.*use another"):
        bpy.ops.recam.add_move()
    assert take_of(reshoot(), sequence).name == "shot take 1"
    assert bpy.ops.recam.restore_take() == {"FINISHED"}
    assert sequence.recam.camera.library is None


def link(bpy, scene, folder):
    """A camera of another file, which is the scene's."""
    camera = new_camera(bpy, "Library Camera")
    camera.location = 3, -2, 1
    path = str(folder / "library.blend")
    bpy.data.libraries.write(path, {camera})
    bpy.data.cameras.remove(camera.data)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.objects = ["Library Camera"]
    [linked] = wanted.objects
    scene.collection.objects.link(linked)
    scene.camera = linked
    bpy.context.view_layer.update()
    return linked


def test_the_strips_in_one_scene_and_the_cameras_in_another(bpy, sequence, strip, whole_way, saved):
    if not hasattr(bpy.context.workspace, "sequencer_scene"):
        pytest.skip("before Blender 5.0 the sequencer shows the window's scene")
    stage = bpy.data.scenes.new("Stage")
    stage.render.resolution_x = 640
    bpy.context.window.scene = stage
    made = whole_way(strip)
    assert made.stage == stage and stage.camera.name in stage.objects
    assert sequence.camera is None and not sequence.objects
    assert (sequence.frame_start, sequence.frame_end) != (stage.frame_start, stage.frame_end)


def test_two_scenes_each_with_its_strip_of_one_name(bpy, addon, sequence, clip, whole_way, saved):
    """The other scene's strip of the same name is not touched."""
    other = bpy.data.scenes.new("other")
    other.sequence_editor_create()
    twin = strips_of(other).new_movie("shot", str(clip), 2, FIRST)
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, FIRST)
    trim(strip, end=FIRST + 4)
    whole_way(strip)
    assert [each.name for each in strips_of(other)] == ["shot"] and not twin.mute


def test_a_file_that_is_missing_is_said_by_every_button(
    bpy, sequence, strip, tmp_path, reshoot, drive
):
    strip.filepath = str(tmp_path / "gone.mp4")
    sequence.sequence_editor.active_strip = strip
    with pytest.raises(RuntimeError, match=r"missing: .*gone\.mp4.*Put it back"):
        bpy.ops.recam.set_up_camera()
    with pytest.raises(RuntimeError, match=r"missing: .*gone\.mp4.*Put it back"):
        reshoot()
    assert not bpy.data.objects and not strip.mute
