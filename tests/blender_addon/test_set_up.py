"""“Set Up Camera”: the clip on its screen, seen from the source camera, in step with the strip."""

from __future__ import annotations

from time import sleep

import numpy as np
import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def lay(sequence):
    def run(path, name="shot", start=11, fit="ORIGINAL"):
        strip = strips_of(sequence).new_movie(name, str(path), 2, start, fit_method=fit)
        sequence.sequence_editor.active_strip = strip
        return strip

    return run


@pytest.fixture
def set_up(bpy, addon, sequence):
    """Presses the button; the rig's parts by name."""

    def run(**options):
        assert bpy.ops.recam.set_up_camera(**options) == {"FINISHED"}
        rigs = addon.camera.rig
        rig = sequence.recam.rig
        names = (rigs.SOURCE, rigs.HOLDER, rigs.SCREEN, rigs.CAMERA, rigs.SUBJECT)
        return {name: rigs.part(rig, name) for name in names}

    return run


def corners(bpy, scene, screen, camera):
    """The screen's corners in fractions of the camera's frame: ``(4, 3)``, x, y up, depth."""
    from bpy_extras.object_utils import world_to_camera_view

    bpy.context.view_layer.update()
    points = [screen.matrix_world @ vertex.co for vertex in screen.data.vertices]
    return np.array([world_to_camera_view(scene, camera, point) for point in points])


WHOLE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])


def test_the_clip_stands_in_step_before_two_cameras(bpy, addon, sequence, clip, lay, set_up):
    strip = lay(clip)
    addon.versions.set_first_frame(strip, 14)
    addon.versions.set_end_frame(strip, 30)
    parts = set_up()
    source, camera, screen = parts["source"], parts["camera"], parts["screen"]
    assert source.matrix_world == camera.matrix_world
    assert source.location.z == pytest.approx(1.6)
    assert sequence.camera == camera == sequence.recam.camera
    assert sequence.recam.source_camera == source and sequence.recam.subject == parts["subject"]
    assert (sequence.frame_start, sequence.frame_end) == (14, 29)
    seen = corners(bpy, sequence, screen, source)
    assert np.abs(seen[:, :2] - WHOLE).max() < 1e-5
    assert seen[:, 2] == pytest.approx([4] * 4)
    user = screen.active_material.node_tree.nodes["Recam Clip"].image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (14, 3, 16)


def test_a_camera_that_is_there_is_copied_and_stays_as_it_is(bpy, sequence, clip, lay, set_up):
    lay(clip)
    camera = bpy.data.objects.new("hero", bpy.data.cameras.new("hero"))
    sequence.collection.objects.link(camera)
    sequence.camera = camera
    camera.location, camera.rotation_euler, camera.scale = (3, -8, 2), (1.4, 0, 0.3), (2, 2, 2)
    camera.data.lens, camera.data.sensor_width = 85, 24
    camera.data.keyframe_insert("lens", frame=1)
    bpy.context.view_layer.update()
    parts = set_up()
    source = parts["source"]
    assert np.allclose(source.matrix_world.translation, camera.matrix_world.translation)
    assert np.allclose(source.matrix_world.to_euler(), camera.matrix_world.to_euler(), atol=1e-5)
    assert (source.data.lens, source.data.sensor_width) == (85, 24)
    assert source.data.animation_data is None and camera.data.animation_data is not None
    assert np.abs(corners(bpy, sequence, parts["screen"], source)[:, :2] - WHOLE).max() < 1e-5
    assert camera.data.lens == 85 and tuple(camera.scale) == (2, 2, 2)


def test_all_of_it_is_one_step_to_undo(bpy, sequence, clip, lay, set_up):
    lay(clip)
    sequence.frame_end = 99
    bpy.ops.ed.undo_push(message="the artist's last step")
    kinds = ("objects", "collections", "cameras", "meshes", "materials", "images", "node_groups")
    before = {kind: [b.name for b in getattr(bpy.data, kind)] for kind in kinds}
    bpy.ops.recam.set_up_camera("EXEC_DEFAULT", True)
    assert bpy.context.scene.frame_end == 34
    bpy.ops.ed.undo()
    assert {kind: [b.name for b in getattr(bpy.data, kind)] for kind in kinds} == before
    scene = bpy.context.scene
    assert scene.frame_end == 99 and scene.camera is None and scene.recam.rig is None


def test_pressed_again_it_finds_the_rig_and_brings_it_up_to_date(
    bpy, addon, sequence, clip, lay, set_up
):
    strip = lay(clip)
    first = set_up()
    assert sequence.recam_move.show_path
    sequence.recam_move.show_path = False  # as the artist wants it, from here on
    first["camera"].location.x = 2
    first["subject"].location = (1, 9, 3)
    blocks = len(bpy.data.objects), len(bpy.data.materials), len(bpy.data.images)
    addon.versions.set_first_frame(strip, 16)
    strip.name = "renamed"
    rig, in_step = sequence.recam.rig, addon.camera.footage.in_step
    assert not in_step(rig, strip)
    second = set_up()
    assert in_step(rig, strip) and not sequence.recam_move.show_path
    assert first == second and second["camera"].location.x == 2
    assert (len(bpy.data.objects), len(bpy.data.materials), len(bpy.data.images)) == blocks
    user = second["screen"].active_material.node_tree.nodes["Recam Clip"].image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (16, 5, 19)
    assert corners(bpy, sequence, second["screen"], second["source"])[:, 2] == pytest.approx(
        [9] * 4
    )


def test_a_screen_that_was_given_other_materials_harms_nothing(addon, clip, lay, set_up):
    strip = lay(clip)
    parts = set_up()
    in_step, rig = addon.camera.footage.in_step, addon.camera.rig.all_of(parts["camera"])[0]
    parts["screen"].active_material.node_tree.nodes.clear()
    assert in_step(rig, strip)
    set_up()
    parts["screen"].data.materials.append(None)
    parts["screen"].data.materials.pop(index=0)
    assert in_step(rig, strip)
    set_up()


def test_each_strip_has_a_rig_of_its_own(bpy, sequence, clip, lay, set_up):
    lay(clip)
    first = set_up()
    first["source"].location = (0, 0, 5)
    first["camera"].location = (4, 4, 4)
    lay(clip, "other", start=50)
    second = set_up()
    assert not set(first.values()) & set(second.values())
    assert tuple(second["source"].location) == (0, 0, 5)
    assert sequence.camera == second["camera"] and sequence.frame_start == 50


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
def test_the_screen_fills_what_the_strip_shows_of_any_frame(
    bpy, addon, sequence, lay, set_up, pictures, measure, fit
):
    """A vertical clip in a wide frame of pixels that are not square, a shifted lens."""
    render = sequence.render
    render.resolution_x, render.resolution_y = 192, 108
    strip = lay(pictures.write("vertical", measure.numbered(3, 54, 96)), fit="FIT")
    render.pixel_aspect_y, strip.transform.offset_y = 1.5, 12  # and so not in the middle
    parts = set_up(match_resolution=False)
    source = parts["source"]
    source.data.sensor_fit, source.data.shift_x, source.data.shift_y = fit, 0.1, -0.2
    source.data.lens = 60
    set_up(match_resolution=False)
    assert (render.resolution_x, render.resolution_y) == (192, 108)
    part = addon.clip.plate.picture_part(strip, sequence).of((192, 108))
    left, top, width, height = part
    wanted = WHOLE * (width, height) + (left, 1 - top - height)
    assert width < 0.35 and abs(top + height / 2 - 0.5) > 0.05
    source.data.lens = 45  # the screen follows
    assert np.abs(corners(bpy, sequence, parts["screen"], source)[:, :2] - wanted).max() < 1e-5
    addon.camera.footage.stop()


def test_the_frame_becomes_the_clips(bpy, sequence, lay, set_up, pictures, measure):
    render = sequence.render
    render.resolution_x, render.resolution_y = 192, 108
    lay(pictures.write("upright", measure.numbered(2, 54, 96)), fit="FIT")
    parts = set_up()
    assert (render.resolution_x, render.resolution_y) == (60, 108)
    assert (sequence.frame_start, sequence.frame_end) == (11, 12)
    seen = corners(bpy, sequence, parts["screen"], parts["source"])
    assert np.abs(seen[:, :2] - WHOLE).max() < 0.02  # the picture is 60.75 pixels wide


def test_the_screen_stands_where_the_subject_does(bpy, sequence, clip, lay, set_up):
    lay(clip)
    parts = set_up()
    source, screen = parts["source"], parts["screen"]
    source.rotation_euler.z, source.scale = 0.3, (2, 2, 2)
    bpy.context.view_layer.update()
    parts["subject"].matrix_world = source.matrix_world.copy()
    from mathutils import Vector

    parts["subject"].location += source.matrix_world.to_quaternion() @ Vector((1, 2, -7))
    seen = corners(bpy, sequence, screen, source)
    assert seen[:, 2] == pytest.approx([7] * 4, abs=1e-4)
    sequence.recam.subject = None
    sequence.recam.subject_distance = 2.5
    seen = corners(bpy, sequence, screen, source)
    assert seen[:, 2] == pytest.approx([2.5] * 4, abs=1e-4)
    assert np.abs(seen[:, :2] - WHOLE).max() < 1e-5
    solved = bpy.data.objects.new("solved", bpy.data.cameras.new("solved"))
    sequence.collection.objects.link(solved)
    sequence.recam.source_camera = solved
    assert np.abs(corners(bpy, sequence, screen, solved)[:, :2] - WHOLE).max() < 1e-5


def test_only_geometry_and_its_end_show_and_hide_the_screen(bpy, sequence, clip, lay, set_up):
    lay(clip)
    screen, settings = set_up()["screen"], sequence.recam
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.recam.use_as_geometry()
    assert screen.hide_viewport
    settings.subject_distance = 3.0
    assert screen.hide_viewport
    bpy.ops.recam.release_geometry()
    assert not screen.hide_viewport
    screen.hide_viewport = True  # as the artist likes, or CG over a take
    settings.subject_distance = 2.0
    settings.subject = None
    assert screen.hide_viewport


def test_a_changed_strip_is_rendered_for_the_screen(
    bpy, addon, sequence, clip, lay, set_up, pictures, measure
):
    strip = lay(clip)
    strip.use_reverse_frames = True
    parts = set_up()
    job = addon.camera.footage.job
    while job.tick() is not None:
        sleep(0.05)
    assert job.error is None
    node = parts["screen"].active_material.node_tree.nodes["Recam Clip"]
    user = node.image_user
    assert (user.frame_start, user.frame_offset, user.frame_duration) == (11, 0, 24)
    shown = pictures.movie([bpy.path.abspath(node.image.filepath)], 160, 96)
    assert measure.numbers(shown) == [*reversed(range(24))]


def test_undone_while_it_is_rendered_it_ends_without_a_word(bpy, addon, clip, lay, set_up):
    lay(clip).use_reverse_frames = True
    bpy.ops.ed.undo_push(message="the artist's last step")
    bpy.ops.recam.set_up_camera("EXEC_DEFAULT", True)
    bpy.ops.ed.undo()
    job = addon.camera.footage.job
    assert job.tick() is None and not job.running and job.error is None
    assert not bpy.data.images


def test_a_full_disk_is_said_and_nothing_goes_on(addon, clip, lay, set_up, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    lay(clip).use_reverse_frames = True
    set_up()
    job = addon.camera.footage.job
    monkeypatch.setattr(addon.camera.footage.shutil, "move", full)
    while job.tick() is not None:
        sleep(0.05)
    assert "No space left" in str(job.error) and not job.running and not job._work.exists()


def test_a_strip_without_a_file_is_refused_in_words(bpy, sequence, clip, lay, tmp_path):
    strip = lay(clip)
    strip.filepath = str(tmp_path / "gone.mp4")
    with pytest.raises(RuntimeError, match=r"gone\.mp4"):
        bpy.ops.recam.set_up_camera()
    assert not bpy.data.collections and sequence.camera is None


def test_the_cameras_may_stand_in_another_scene_than_the_strips(
    bpy, addon, sequence, clip, lay, set_up, render_all
):
    if not hasattr(bpy.context.workspace, "sequencer_scene"):
        pytest.skip("before Blender 5.0 the sequencer shows the window's scene")
    lay(clip)
    stage = bpy.data.scenes.new("stage")
    bpy.context.window.scene = stage
    parts = set_up()
    assert parts["camera"].users_scene == (stage,) and stage.camera == parts["camera"]
    assert sequence.camera is None and sequence.recam.camera == parts["camera"]
    assert (stage.render.resolution_x, stage.render.fps) == (160, 24)
    assert (stage.frame_start, stage.frame_end) == (11, 34)
    parts["camera"].location.x = 3
    parts["camera"].keyframe_insert("location", frame=34)
    for frame, y in ((1, 4), (11, 9)):
        parts["subject"].location.y = y
        parts["subject"].keyframe_insert("location", frame=frame)
    strip = sequence.sequence_editor.active_strip
    frames, part = range(11, 35), addon.clip.plate.picture_part(strip, sequence)
    reader = addon.camera.shot.ShotReader(sequence, frames, part)
    render_all(reader)
    shot = reader.shot()
    assert shot.trajectory.poses[-1, 0, 3] == pytest.approx(3)
    assert shot.source_camera.poses[-1, 0, 3] == 0
    assert shot.subject_distance == pytest.approx(9)


def test_a_scene_in_centimetres_has_the_same_cameras(bpy, sequence, clip, lay, set_up):
    sequence.unit_settings.scale_length = 0.01
    lay(clip)
    parts = set_up()
    assert parts["source"].location.z == pytest.approx(160)
    seen = corners(bpy, sequence, parts["screen"], parts["source"])
    assert seen[:, 2] == pytest.approx([400] * 4)
    assert np.abs(seen[:, :2] - WHOLE).max() < 1e-5


def test_a_take_belongs_to_its_originals_rig(addon, sequence, clip, lay, set_up):
    family = addon.takes.family
    lay(clip)[family.ID] = "one"
    parts = set_up()
    take = strips_of(sequence).new_movie("shot take 1", str(clip), 3, 11)
    take[family.OF], take[family.SETTINGS] = "one", "{}"
    sequence.sequence_editor.active_strip = take
    assert set_up() == parts


def test_an_image_strip_is_rendered_for_the_screen(bpy, addon, sequence, set_up, tmp_path):
    for number in range(3):
        image = bpy.data.images.new("still", 160, 96)
        image.filepath_raw, image.file_format = str(tmp_path / f"still_{number}.png"), "PNG"
        image.save()
    strip = strips_of(sequence).new_image("stills", str(tmp_path / "still_0.png"), 2, 5)
    for number in (1, 2):
        strip.elements.append(f"still_{number}.png")
    sequence.sequence_editor.active_strip = strip
    parts = set_up()
    while (job := addon.camera.footage.job).tick() is not None:
        sleep(0.05)
    assert job.error is None and (sequence.frame_start, sequence.frame_end) == (5, 7)
    node = parts["screen"].active_material.node_tree.nodes["Recam Clip"]
    assert (node.image_user.frame_start, node.image.frame_duration) == (5, 3)


def test_the_lens_that_shot_the_clip_may_be_told(bpy, sequence, clip, lay, set_up):
    lay(clip)
    parts = set_up(lens=85)
    assert parts["source"].data.lens == parts["camera"].data.lens == 85
    assert (
        np.abs(corners(bpy, sequence, parts["screen"], parts["source"])[:, :2] - WHOLE).max() < 1e-5
    )
    parts["camera"].data.lens = 50  # the artist's own from here on
    set_up()
    assert (parts["source"].data.lens, parts["camera"].data.lens) == (85, 50)


def test_an_edit_of_several_clips_keeps_its_frame(
    bpy, addon, sequence, clip, lay, set_up, pictures, measure
):
    strips_of(sequence).new_movie("another", str(clip), 4, 50)
    lay(pictures.write("vertical", measure.numbered(3, 54, 96)), fit="FIT")
    before = sequence.render.resolution_x
    set_up()
    assert sequence.render.resolution_x == before and sequence.frame_end == 13
    set_up(match_resolution=True)  # as the redo panel lets one ask
    assert sequence.render.resolution_x < before
