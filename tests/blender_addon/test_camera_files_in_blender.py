"""Camera files into Blender and out of it: what comes in goes out, where it stands in between."""

from __future__ import annotations

import numpy as np
import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def shot(bpy, addon, sequence, clip):
    """A scene with a rig, whose camera moves and zooms; half the clip is cut away."""
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11, fit_method="ORIGINAL")
    addon.versions.set_first_frame(strip, 20)
    sequence.sequence_editor.active_strip = strip
    bpy.ops.recam.set_up_camera()
    camera = sequence.recam.camera
    for frame, x, lens, shift in ((20, 0.5, 35, 0.0), (34, 2.0, 60, 0.1)):
        camera.location.x, camera.data.lens, camera.data.shift_y = x, lens, shift
        camera.rotation_euler.z = x / 5
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)
        camera.data.keyframe_insert("lens", frame=frame)
        camera.data.keyframe_insert("shift_y", frame=frame)
    return sequence


def read(addon, path):
    return addon.shared.cameras.files.read_camera(path)


def test_a_saved_camera_loads_into_the_same_place(bpy, addon, shot, tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert bpy.ops.recam.save_camera(filepath=str(first)) == {"FINISHED"}
    old = shot.recam.camera
    assert bpy.ops.recam.load_camera(filepath=str(first)) == {"FINISHED"}
    assert shot.recam.camera != old and shot.camera == shot.recam.camera
    assert bpy.ops.recam.save_camera(filepath=str(second)) == {"FINISHED"}
    before, after = read(addon, first), read(addon, second)
    assert len(before.trajectory) == 15
    assert np.abs(before.trajectory.poses - after.trajectory.poses).max() < 1e-5
    assert np.abs(before.trajectory.lenses - after.trajectory.lenses).max() < 1e-5
    assert np.abs(before.source_camera.poses - after.source_camera.poses).max() < 1e-9


def test_a_source_camera_from_a_file_carries_the_screen(bpy, addon, shot, tmp_path):
    path = tmp_path / "solved.json"
    bpy.ops.recam.save_camera(filepath=str(path))
    saved = read(addon, path)
    moving = type(saved)(saved.trajectory, saved.trajectory)
    addon.shared.cameras.recam_json.write_shot(path, moving)
    assert bpy.ops.recam.load_source_camera(filepath=str(path)) == {"FINISHED"}
    source = shot.recam.source_camera
    screen = addon.camera.rig.part(shot.recam.rig, addon.camera.rig.SCREEN)
    from bpy_extras.object_utils import world_to_camera_view

    for frame in (20, 27, 34):
        shot.frame_set(frame)
        points = [screen.matrix_world @ vertex.co for vertex in screen.data.vertices]
        seen = np.array([world_to_camera_view(shot, source, point) for point in points])
        assert np.abs(seen[:, :2] - [(0, 0), (1, 0), (1, 1), (0, 1)]).max() < 1e-4
    assert source.data.lens == pytest.approx(60, abs=1e-3)


def test_a_public_file_starts_where_the_source_camera_stands(bpy, addon, shot, tmp_path):
    """Its world is not Blender's, and it knows neither rate nor lens."""
    import json

    matrices = [f"[1 0 0 0] [0 1 0 0] [0 0 1 0] [{10 * i} 0 0 1]" for i in range(15)]
    path = tmp_path / "camera_extrinsics.json"
    rows = {f"frame{i}": {"cam01": m, "cam02": matrices[0]} for i, m in enumerate(matrices)}
    path.write_text(json.dumps(rows))
    with pytest.raises(RuntimeError, match="cam02"):
        bpy.ops.recam.load_camera(filepath=str(path))
    assert bpy.ops.recam.load_camera(filepath=str(path), camera="cam01") == {"FINISHED"}
    source, camera = shot.recam.source_camera, shot.recam.camera
    for frame, metres in ((20, 0.0), (30, 1.0)):
        shot.frame_set(frame)
        offset = source.matrix_world.inverted() @ camera.matrix_world.translation
        assert np.abs(np.array(offset) - (0, 0, -metres)).max() < 1e-5
    assert camera.data.lens == pytest.approx(source.data.lens)
    assert bpy.ops.recam.load_camera(filepath=str(path), camera="cam01", here=False) == {"FINISHED"}
    world = shot.recam.camera.matrix_world  # upright at the origin, and ahead is along y
    bpy.context.view_layer.update()
    assert np.abs(np.array(world.translation) - (0, 1, 0)).max() < 1e-5
    assert np.abs(np.array(world)[:3, :3] - [(1, 0, 0), (0, 0, -1), (0, 1, 0)]).max() < 1e-5


def test_a_file_that_is_none_changes_nothing(bpy, shot, tmp_path):
    path = tmp_path / "other.json"
    path.write_text("{}")
    blocks = len(bpy.data.objects)
    with pytest.raises(RuntimeError, match="no camera file"):
        bpy.ops.recam.load_camera(filepath=str(path))
    assert len(bpy.data.objects) == blocks
