"""The camera's path, what is drawn of it and said about it, in real Blender without a window."""

from __future__ import annotations

from math import radians
from time import monotonic, sleep
from types import SimpleNamespace

import numpy as np
import pytest

FIRST, COUNT = 11, 24


@pytest.fixture
def camera(bpy, sequence, strip):
    camera = sequence.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    sequence.collection.objects.link(camera)
    camera.location, camera.rotation_euler = (3.0, -7.0, 1.5), (radians(80), 0.1, 0.4)
    bpy.context.view_layer.update()
    return camera


@pytest.fixture
def path(addon, sequence):
    """The one path, shown."""
    sequence.recam_move.show_path = True
    return addon.camera.path_watch.path_of(sequence)


@pytest.fixture
def settle(addon):
    """Ticks until the path is read or given up, as a window's timer does; the longest tick."""

    def run(path, old=None):
        longest, until = 0.0, monotonic() + 10
        while path.lines is old and not path.problem and not path.by_hand:
            assert monotonic() < until
            began = monotonic()
            delay = addon.camera.path_watch.tick()
            longest = max(longest, monotonic() - began)
            sleep(min(delay, 0.05))
        return longest

    return run


def codes(path):
    return [finding.code for finding in path.findings]


def test_the_path_is_read_a_little_at_a_time_once_it_is_calm(camera, path, settle, add):
    add("arc_left")
    assert path.lines is None
    settle(path)
    assert path.lines is not None and not path.findings and not path.problem


def test_the_lines_are_where_the_camera_goes(
    bpy, sequence, camera, path, settle, add, addon, render_all
):
    sequence.unit_settings.scale_length = 0.1
    sequence.recam.subject_distance = 40.0
    add("orbit", angle=radians(60))
    settle(path)
    places = []
    for frame in range(FIRST, FIRST + COUNT):
        sequence.frame_set(frame)
        places.append(camera.matrix_world.translation[:])
    ends = path.lines.points[: 2 * (COUNT - 1)].reshape(-1, 2, 3)
    assert np.abs(ends[:, 0] - places[:-1]).max() < 1e-4
    assert np.abs(ends[:, 1] - places[1:]).max() < 1e-4
    # The last frustum: its eye is the last place, its sides the picture's.
    corners = path.lines.points[2 * (COUNT - 1) :][-22:]
    eye, corner = corners[0], corners[1]
    assert np.allclose(eye, places[-1], atol=1e-4)
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    seen = world_to_camera_view(sequence, camera, Vector(corner))
    assert (seen.x, seen.y) == pytest.approx((0, 1), abs=1e-4)
    assert seen.z == pytest.approx(0.08 * 40, rel=1e-4)


def test_what_is_wrong_has_another_colour_and_the_scenes_frame_numbers(
    sequence, camera, path, settle, add, addon
):
    add("dolly", distance=120.0)
    settle(path)
    assert "behind" in codes(path)
    behind = next(f for f in path.findings if f.code == "behind")
    frames = np.flatnonzero(behind.frames)
    assert f"at frames {frames[0] + FIRST} to {FIRST + COUNT - 1}." in behind.sentence
    wrong = np.zeros(COUNT, bool)
    for finding in path.findings:
        wrong |= finding.frames
    colours = path.lines.colours[: 2 * (COUNT - 1) : 2]
    lines = addon.camera.path_lines
    assert np.array_equal((colours == np.float32(lines.WRONG)).all(axis=1), wrong[:-1] | wrong[1:])
    assert np.array_equal(
        (colours == np.float32(lines.PATH)).all(axis=1), ~(wrong[:-1] | wrong[1:])
    )


def source_elsewhere(bpy, scene, camera):
    source = scene.recam.source_camera = camera.copy()
    scene.collection.objects.link(source)
    source.location.x += 1
    return "start"


def short_lens(bpy, scene, camera):
    for frame, lens in ((11, 50), (34, 35)):
        camera.data.lens = lens
        camera.data.keyframe_insert("lens", frame=frame)
    return "wide"


def a_switch(bpy, scene, camera):
    other = camera.copy()
    other.location.x += 1
    scene.collection.objects.link(other)
    scene.timeline_markers.new("a", frame=1).camera = camera
    scene.timeline_markers.new("b", frame=20).camera = other
    return "cut"


def far_away(bpy, scene, camera):
    keyed(camera, "location", {11: (3, -7, 1.5), 34: (3, -14, 1.5)})
    return "far"


def turned(bpy, scene, camera):
    keyed(camera, "rotation_euler", {11: (radians(80), 0, 0), 34: (radians(80), 0, 0.9)})
    return "turned"


def hurried(bpy, scene, camera):
    keyed(camera, "location", {11: (3, -7, 1.5), 14: (3, -5, 1.5)})
    return "fast"


def passed(bpy, scene, camera):
    scene.recam.subject_distance = 0.5
    keyed(camera, "location", {11: (3, -7, 1.5), 34: (3, -6, 1.5)})
    return "behind"


def keyed(owner, path, values):
    for frame, value in values.items():
        setattr(owner, path, value)
        owner.keyframe_insert(path, frame=frame)


ALL = [source_elsewhere, short_lens, a_switch, far_away, turned, hurried, passed]


@pytest.mark.parametrize("wrong", ALL)
def test_each_kind_of_fault_is_found(bpy, sequence, camera, path, settle, wrong):
    code = wrong(bpy, sequence, camera)
    bpy.context.view_layer.update()
    settle(path)
    assert code in codes(path), path.problem


def test_a_fault_of_the_model_is_none_of_the_projection(sequence, camera, path, settle):
    hurried(None, sequence, camera)
    sequence.recam.engine = "projection"
    settle(path)
    assert codes(path) == []


def test_a_change_is_seen_and_looking_is_none(bpy, addon, sequence, camera, path, settle, add):
    add("dolly")
    settle(path)
    first = path.lines
    until = monotonic() + 1.0
    while monotonic() < until:
        bpy.context.view_layer.update()
        sleep(min(addon.camera.path_watch.tick(), 0.05))
    assert path.lines is first, "reading it is no change"
    sequence.recam.subject_distance = 9.0
    settle(path, first)
    second = path.lines
    assert second is not first
    camera.location.x = 50.0
    curve = camera.animation_data.action
    assert curve is not None
    add("orbit")
    bpy.context.view_layer.update()
    settle(path, second)
    assert path.lines is not second


def enlarged(scene, strip):
    strip.transform.scale_x = strip.transform.scale_y = 2.0


def taller_pixels(scene, strip):
    scene.render.pixel_aspect_y = 2.0


def inches(scene, strip):
    scene.unit_settings.scale_length = 0.0254


@pytest.mark.parametrize("change", [enlarged, taller_pixels, inches])
def test_what_changes_lens_or_size_is_seen(sequence, strip, camera, path, settle, change):
    settle(path)
    first = path.lines
    change(sequence, strip)
    settle(path, first)
    assert path.lines is not first


def test_the_path_is_in_the_scene_where_the_camera_stands(bpy, sequence, camera, path, settle):
    settle(path)
    assert path.stage == sequence.session_uid
    stage = bpy.data.scenes.new("stage")
    stage.collection.objects.link(camera)
    sequence.collection.objects.unlink(camera)
    sequence.recam.camera = camera
    settle(path, path.lines)
    assert path.stage == stage.session_uid


def test_what_moves_a_camera_is_a_change_and_what_does_not_is_none(
    bpy, sequence, camera, path, settle
):
    settle(path)
    cube = bpy.data.objects.new("Cube", None)
    parent = camera.parent = bpy.data.objects.new("Parent", None)
    action = bpy.data.actions.new("keys")

    def reads(thing, moved):
        path.evaluated([SimpleNamespace(id=thing, is_updated_transform=moved)])
        begun = path._changed_at is not None
        path._changed_at = None
        return begun

    assert reads(camera, True) and reads(camera.data, False) and reads(action, False)
    # A temporary scene that comes and goes has every object listed, none of them moved.
    assert not any(reads(thing, False) for thing in (sequence, camera, cube, parent))
    assert not reads(cube, True)


def test_a_scene_that_is_slow_to_look_at_is_read_on_request(
    bpy, camera, path, settle, add, addon, monkeypatch
):
    add("dolly")
    monkeypatch.setattr(addon.camera.path, "LONG_TICK", 0.0)
    for _ in range(3):
        path.changed()
        settle(path, path.lines)
    assert "on request" in path.by_hand
    before = path.lines
    assert bpy.ops.recam.refresh_path() == {"FINISHED"}
    assert path.lines is not None and path.lines is not before


def test_a_driver_on_the_scene_is_not_walked_behind_the_artists_back(
    bpy, sequence, camera, path, settle
):
    driver = camera.driver_add("location", 2).driver
    variable = driver.variables.new()
    variable.targets[0].id_type = "SCENE"
    variable.targets[0].id = sequence
    variable.targets[0].data_path = "frame_current"
    driver.expression = variable.name
    settle(path)
    assert "reads this scene" in path.by_hand and path.lines is None
    bpy.ops.recam.refresh_path()
    heights = path.lines.points[: 2 * (COUNT - 1) : 2, 2]
    assert heights == pytest.approx(range(FIRST, FIRST + COUNT - 1))
    assert sequence.frame_current == 1
    camera.driver_remove("location", 2)
    path.changed()
    old = path.lines
    path.by_hand = ""
    settle(path, old)
    assert path.lines is not old and not path.by_hand


def test_no_tick_is_felt(camera, path, settle, add):
    add("handheld")
    settle(path)  # the first look at a scene loads what it needs
    longest = []
    for _ in range(3):  # one of them is not disturbed by another program
        old = path.lines
        path.changed()
        longest.append(settle(path, old))
    assert min(longest) < 0.016 and not path.by_hand


def test_no_camera_is_said(sequence, camera, path, settle):
    sequence.camera = None
    settle(path)
    assert "no camera" in path.problem and path.lines is None


def test_a_strip_without_a_picture_is_said(sequence, camera, path, settle, new_effect):
    sequence.sequence_editor.active_strip = new_effect("COLOR", "grey")
    settle(path)
    assert "Select a clip" in path.problem and path.lines is None


def test_while_blender_renders_no_scene_is_touched(camera, path, settle, addon, monkeypatch):
    monkeypatch.setattr(addon.camera.path, "CALM_SECONDS", 0.0)
    monkeypatch.setattr(addon.camera.path, "rendering", lambda: True)
    path.changed()
    for _ in range(3):
        path.tick()
    assert path.lines is None and path._work is None
    monkeypatch.undo()
    settle(path)
    assert path.lines is not None


def test_hidden_it_costs_nothing(sequence, camera, path):
    sequence.recam_move.show_path = False
    path.changed()
    for _ in range(3):
        path.tick()
    assert path.lines is None and path._work is None


def test_another_file_is_another_path(bpy, addon, camera, path, settle, add):
    add("dolly")
    settle(path)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    assert addon.camera.path_watch.path_of(bpy.context.scene).lines is None


def test_a_scene_that_is_gone_has_no_path(bpy, addon, sequence, camera, path):
    bpy.data.scenes.new("other")
    bpy.data.scenes.remove(sequence)
    assert path.tick() is None
    addon.camera.path_watch.tick()


def test_a_mistake_is_said_and_the_timer_goes_on(addon, camera, path, settle, monkeypatch, capsys):
    def broken(*_):
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(addon.camera.path, "findings", broken)
    settle(path)
    assert "a mistake" in path.problem and "Traceback" in capsys.readouterr().err
    monkeypatch.undo()
    path.problem = ""
    path.changed()
    settle(path)
    assert path.lines is not None
