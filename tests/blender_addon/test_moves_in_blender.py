"""Moves as keyframes in real Blender, against the pure trajectory, in metres."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest

FIRST, COUNT = 11, 24


@pytest.fixture
def camera(sequence, strip, new_camera):
    """The scene's camera."""
    sequence.camera = new_camera("Camera")
    return sequence.camera


@pytest.fixture
def shown(addon, sequence, render_all):
    """The trajectory of a camera as Blender evaluates it."""

    def run(camera, frames=range(FIRST, FIRST + COUNT)):
        sampler = addon.camera.sampling.CameraSampler(sequence, frames, camera)
        render_all(sampler)
        return sampler.trajectory()

    return run


@pytest.fixture
def wanted(addon, sequence):
    """The pure move, from a first pose."""

    def run(name, begin, metres=4.0, source=None, **values):
        return addon.shared.cameras.moves.make_move(
            name,
            COUNT,
            begin.rate,
            begin.lenses[0],
            begin.poses[0],
            metres,
            values,
            source,
            (0, 0, 1),
        )

    return run


def far(a, b):
    """The largest distance in metres and turn in radians between two trajectories."""
    place = np.linalg.norm(a.poses[:, :3, 3] - b.poses[:, :3, 3], axis=1).max()
    return place, np.abs(a.poses[:, :3, :3] - b.poses[:, :3, :3]).max()


def keyed(addon, owner, path, curves_of=None):
    """The frames of the keyframes of a property, the same for all its parts."""
    curves_of = curves_of or addon.versions.curves
    curves = [c for c in curves_of(owner.animation_data) if c.data_path == path]
    rows = {tuple(point.co.x for point in curve.keyframe_points) for curve in curves}
    assert len(rows) == 1, rows
    return list(rows.pop())


MOVES = [
    *("pan_right", "pan_left", "tilt_up", "tilt_down", "zoom_in", "zoom_out"),
    *("translate_up", "translate_down", "arc_left", "arc_right"),
    *("static", "dolly", "orbit", "crane", "handheld"),
]


@pytest.mark.parametrize("move", MOVES)
def test_a_move_is_what_the_camera_does(camera, add, shown, wanted, addon, move):
    begin = shown(camera)
    eases = {} if move in ("static", "handheld") else {"ease_in": 1.0, "ease_out": 0.5}
    add(move, **eases)
    place, turn = far(shown(camera), wanted(move, begin, **eases))
    assert place < 5e-4 and turn < 2e-4
    frames = keyed(addon, camera, "location")
    assert frames == keyed(addon, camera, "rotation_euler")
    assert frames[0] == FIRST and frames[-1] == FIRST + COUNT - 1
    assert len(frames) == COUNT if move == "handheld" else len(frames) <= 8


@pytest.fixture
def carried(bpy, sequence, camera):
    """Makes the camera hang on an animated, turned, scaled parent, in a scene of centimetres."""

    def run(mode="XYZ"):
        sequence.unit_settings.scale_length = 0.01
        carrier = bpy.data.objects.new("carrier", None)
        sequence.collection.objects.link(carrier)
        carrier.scale = (3.0, 3.0, 3.0)
        for frame, x, turn in ((1, -50, 0.2), (40, 80, 0.9)):
            carrier.location, carrier.rotation_euler = (x, 20, 5), (0.1, -0.2, turn)
            carrier.keyframe_insert("location", frame=frame)
            carrier.keyframe_insert("rotation_euler", frame=frame)
        camera.parent = carrier
        camera.matrix_parent_inverse.translation = (4, 5, 6)
        camera.rotation_mode = mode
        camera.scale = (0.5, 0.5, 2.0)
        camera.delta_location = (10, -3, 2)
        camera.delta_rotation_euler = (*camera.delta_rotation_euler[:2], 0.3)
        bpy.context.view_layer.update()
        return camera

    return run


@pytest.mark.parametrize("mode", ["XYZ", "ZXY", "QUATERNION", "AXIS_ANGLE"])
@pytest.mark.parametrize("move", ["orbit", "dolly", "handheld"])
def test_under_a_parent_that_moves_it_is_the_same_in_the_world(
    sequence, carried, add, shown, wanted, mode, move
):
    camera = carried(mode)
    sequence.recam.subject_distance = 250.0  # centimetres
    begin = shown(camera)
    add(move)
    place, turn = far(shown(camera), wanted(move, begin, 2.5))
    assert place < 5e-4 and turn < 3e-4


@pytest.mark.parametrize("scale", [(-1, -1, 1), (-1, -1, -1)])
def test_a_mirrored_scale_of_its_own(bpy, camera, add, shown, wanted, scale):
    camera.scale = scale
    bpy.context.view_layer.update()
    if np.prod(scale) < 0:
        with pytest.raises(RuntimeError, match="mirrored"):
            add("orbit")
        return
    begin = shown(camera)
    add("orbit")
    place, turn = far(shown(camera), wanted("orbit", begin))
    assert place < 5e-4 and turn < 2e-4


def test_a_turn_goes_on_without_a_jump(bpy, camera, add, shown, addon):
    camera.rotation_euler = (radians(80), 0, radians(170) + 4 * np.pi)
    bpy.context.view_layer.update()
    add("orbit", angle=radians(300))
    rows = [c for c in addon.versions.curves(camera.animation_data) if "euler" in c.data_path]
    for curve in rows:
        values = [curve.evaluate(frame) for frame in range(FIRST, FIRST + COUNT)]
        assert np.abs(np.diff(values)).max() < radians(20)
    assert rows[2].evaluate(FIRST) == pytest.approx(radians(170) + 4 * np.pi, abs=1e-5)


def test_it_begins_at_the_source_camera_where_there_is_one(
    sequence, camera, new_camera, add, shown, wanted
):
    source = sequence.recam.source_camera = new_camera("Source", (0, -9, 2), (radians(90), 0, 0))
    source.keyframe_insert("location", frame=FIRST)
    source.location.x = 5.0
    source.keyframe_insert("location", frame=FIRST + COUNT)
    begin = shown(source)
    add("arc_left")
    place, turn = far(shown(camera), wanted("arc_left", begin))
    assert place < 5e-4 and turn < 2e-4


def test_an_orbit_and_a_crane_keep_to_the_ground(camera, add, shown):
    place = camera.matrix_world.translation.copy()
    add("orbit", angle=radians(70))
    assert np.ptp(shown(camera).poses[:, 2, 3]) < 1e-3
    add("crane", height=100.0)
    places = shown(camera).poses[:, :3, 3]
    assert np.abs(places[:, :2] - place[:2]).max() < 1e-3
    assert places[-1, 2] - places[0, 2] == pytest.approx(4.0, abs=1e-3)


def test_a_subject_sets_the_scale(bpy, sequence, camera, add, shown, wanted):
    subject = sequence.recam.subject = bpy.data.objects.new("Subject", None)
    sequence.collection.objects.link(subject)
    subject.location = camera.matrix_world @ __import__("mathutils").Vector((0.5, 1, -9))
    bpy.context.view_layer.update()
    begin = shown(camera)
    add("crane", height=50.0)
    place, turn = far(shown(camera), wanted("crane", begin, 9.0, height=0.5))
    assert place < 1e-3 and turn < 2e-4


def test_keyframes_outside_stay_and_those_inside_go(camera, add, addon):
    for frame in (1, 5, 15, 20, 34, 35, 60):
        camera.location.x = frame
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("scale", frame=frame)
    add("dolly")
    assert keyed(addon, camera, "location") == [1, 5, 11, 34, 35, 60]
    assert keyed(addon, camera, "scale") == [1, 5, 15, 20, 34, 35, 60]
    x = next(c for c in addon.versions.curves(camera.animation_data) if c.data_path == "location")
    assert [x.evaluate(frame) for frame in (1, 5, 35, 60)] == pytest.approx([1, 5, 35, 60])


def test_a_second_move_replaces_the_first(camera, add, shown, wanted):
    begin = shown(camera)
    add("orbit", angle=radians(90))
    add("dolly", distance=25.0)
    place, turn = far(shown(camera), wanted("dolly", begin, distance=0.25))
    assert place < 5e-4 and turn < 2e-4


def test_what_another_camera_shares_stays_its_own(camera, new_camera, add, addon, sequence):
    other = new_camera("Other")
    camera.keyframe_insert("location", frame=1)
    animation = other.animation_data_create()
    animation.action = camera.animation_data.action
    if hasattr(animation, "action_slot"):
        animation.action_slot = camera.animation_data.action_slot
    add("dolly")
    assert keyed(addon, other, "location") == [1]
    assert keyed(addon, camera, "location") == [1, 11, 34]


def test_what_waits_in_a_muted_track_stays(camera, add, addon):
    camera.location.x = 8.0
    camera.keyframe_insert("location", frame=20)
    animation = camera.animation_data
    waiting = animation.nla_tracks.new().strips.new("waiting", 1, animation.action)
    animation.nla_tracks[0].mute, animation.action = True, None
    add("dolly")
    assert addon.camera.keys.hindrance(camera) == ""
    assert keyed(addon, camera, "location", addon.versions.own_curves) == [11, 34]
    both = [c for c in addon.versions.curves(animation) if c.data_path == "location"]
    assert len(both) == 6 and waiting.action != animation.action
    assert [point.co.x for point in both[-1].keyframe_points] == [20]


def test_the_sources_move_is_smoothed_with_its_zoom(camera, shaken, add, shown, wanted, addon):
    camera.data.sensor_width = 24.0
    source = shown(shaken)
    add("smooth", seconds=0.5)
    now = shown(camera)
    expected = wanted("smooth", source, source=source, seconds=0.5)
    place, turn = far(now, expected)
    assert place < 1e-4 and turn < 1e-4
    assert np.abs(now.lenses[:, :2] / expected.lenses[:, :2] - 1).max() < 1e-4
    assert keyed(addon, camera, "location") == list(range(FIRST, FIRST + COUNT))
    shake = [np.abs(np.diff(each.poses[:, :3, 3], 2, axis=0)).mean() for each in (now, source)]
    assert shake[0] < shake[1] / 3


def test_a_marker_may_choose_the_camera(bpy, sequence, camera, new_camera, add):
    other = new_camera("Marked")
    sequence.timeline_markers.new("a", frame=20).camera = camera
    sequence.timeline_markers.new("b", frame=5).camera = other
    add("dolly")
    assert other.animation_data and not camera.animation_data


def test_a_camera_may_stand_in_another_scene_than_the_strips(
    bpy, sequence, strip, new_camera, add, shown, wanted
):
    camera = sequence.recam.camera = new_camera("Elsewhere")
    stage = bpy.data.scenes.new("stage")
    stage.unit_settings.scale_length = 0.1
    stage.collection.objects.link(camera)
    sequence.collection.objects.unlink(camera)
    begin = shown(camera)
    add("orbit")
    place, turn = far(shown(camera), wanted("orbit", begin))
    assert place < 5e-4 and turn < 2e-4


def test_it_is_one_step_to_undo(bpy, sequence, camera, add):
    bpy.ops.ed.undo_push(message="before")
    name = camera.name
    add("orbit")
    bpy.ops.ed.undo_push(message="move")
    bpy.ops.ed.undo()
    animation = bpy.data.objects[name].animation_data
    assert animation is None or animation.action is None


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_a_short_strip_has_its_move_too(camera, strip, add, shown, addon, frames):
    addon.versions.set_duration(strip, frames)
    add("dolly")
    poses = shown(camera, range(FIRST, FIRST + frames)).poses
    moved = np.linalg.norm(poses[-1, :3, 3] - poses[0, :3, 3])
    assert moved == pytest.approx(2.0 if frames > 1 else 0.0, abs=1e-4)


def test_every_move_is_offered_with_its_parameters(bpy, sequence, addon):
    moves = addon.shared.cameras.moves.MOVES
    settings = sequence.recam_move
    assert [item.identifier for item in settings.bl_rna.properties["move"].enum_items] == [*moves]
    for name, move in moves.items():
        settings.move = name
        values = addon.camera.move_settings.parameter_values(settings)
        assert values == pytest.approx({each.name: each.default for each in move.parameters})
        assert move.values(values) == values
