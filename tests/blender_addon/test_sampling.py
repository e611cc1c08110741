"""The sampled camera against Blender's own: frame_set on the real scene, world_to_camera_view."""

from __future__ import annotations

from fractions import Fraction
from time import sleep

import numpy as np
import pytest


@pytest.fixture
def shot(bpy):
    """A scene with a keyed lens, a keyed parent, a Track To constraint and a driver."""
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = 24, 1.001
    link = scene.collection.objects.link
    target = bpy.data.objects.new("target", None)
    link(target)
    target.driver_add("location", 0).driver.expression = "frame * 0.1"
    dolly = bpy.data.objects.new("dolly", None)
    link(dolly)
    key(dolly, "location", {1: (0, -8, 1), 20: (6, -5, 3)})
    camera = new_camera(bpy, "camera")
    camera.parent = dolly
    camera.scale = (2, 2, 2)
    constraint = camera.constraints.new("TRACK_TO")
    constraint.target, constraint.track_axis, constraint.up_axis = (
        target,
        "TRACK_NEGATIVE_Z",
        "UP_Y",
    )
    key(camera.data, "lens", {1: 35.0, 20: 80.0})
    scene.camera = camera
    return scene


def new_camera(bpy, name, location=(0, 0, 0)):
    camera = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    camera.location = location
    bpy.context.scene.collection.objects.link(camera)
    return camera


def key(owner, path, values):
    for frame, value in values.items():
        setattr(owner, path, value)
        owner.keyframe_insert(path, frame=frame)


def frames_set(scene, frames, addon, camera=None):
    """The same poses by walking the real scene."""
    poses = []
    for frame in frames:
        scene.frame_set(frame)
        poses.append(addon.camera.axes.trajectory_pose((camera or scene.camera).matrix_world))
    return np.array(poses)


def test_parents_constraints_drivers_and_lens_keys_as_blender_evaluates_them(
    shot, addon, render_all
):
    frames = range(-3, 25)
    sampler = addon.camera.sampling.CameraSampler(shot, frames)
    render_all(sampler)
    trajectory = sampler.trajectory()
    assert np.abs(trajectory.poses - frames_set(shot, frames, addon)).max() < 1e-6
    assert trajectory.rate == Fraction(24000, 1001)
    shot.frame_set(10)
    camera = shot.camera.data
    assert trajectory.lenses[13][0] == pytest.approx(camera.lens / camera.sensor_width, abs=1e-6)


def test_sampling_goes_in_slices_and_leaves_the_scene_as_it_was(bpy, shot, addon):
    shot.frame_set(7)
    shot.camera.parent.location.x = 123.0  # not keyed
    shot.camera.data.lens = 21.0
    blocks = counts(bpy)
    walked = []

    def slow(scene, _graph):
        walked.append(scene)
        sleep(0.01)

    bpy.app.handlers.frame_change_post.append(slow)
    sampler = addon.camera.sampling.CameraSampler(shot, range(1, 13))
    shares = []
    while not shares or shares[-1] < 1:
        shares.append(sampler.step(0.0))
        assert counts(bpy) == blocks
    bpy.app.handlers.frame_change_post.remove(slow)
    assert len(walked) == 12
    assert len(shares) > 2 and shares == sorted(shares)
    assert shot.frame_current == 7
    assert shot.camera.parent.location.x == 123.0
    assert shot.camera.data.lens == 21.0


def counts(bpy):
    kinds = [p.identifier for p in bpy.data.bl_rna.properties if p.type == "COLLECTION"]
    return {kind: len(getattr(bpy.data, kind)) for kind in kinds}


def test_markers_switch_cameras(bpy, shot, addon, render_all):
    for frame, x in ((5, 10), (10, 20)):
        camera = new_camera(bpy, f"at {x}", (x, 0, 0))
        shot.timeline_markers.new("cut", frame=frame).camera = camera
    frames = range(1, 15)
    sampler = addon.camera.sampling.CameraSampler(shot, frames)
    render_all(sampler)
    places = sampler.trajectory().poses[:, 0, 3]
    assert list(places[4:]) == [10.0] * 5 + [20.0] * 5
    assert np.allclose(sampler.trajectory().poses, frames_set(shot, frames, addon))


def test_a_chosen_camera_counts_despite_markers_and_although_hidden(bpy, shot, addon, render_all):
    chosen = new_camera(bpy, "chosen", (3, 4, 5))
    chosen.hide_viewport = True
    shot.timeline_markers.new("cut", frame=2).camera = new_camera(bpy, "other")
    sampler = addon.camera.sampling.CameraSampler(shot, range(1, 4), chosen)
    render_all(sampler)
    assert sampler.trajectory().poses[:, :3, 3].tolist() == [[3, 4, 5]] * 3
    assert shot.timeline_markers[0].camera.name == "other"


@pytest.mark.parametrize("by_scene", [False, True])
def test_the_subject_counts_where_it_is_at_the_first_frame(bpy, shot, addon, render_all, by_scene):
    shot.unit_settings.scale_length = 0.5
    subject = bpy.data.objects.new("subject", None)
    shot.collection.objects.link(subject)
    if by_scene:
        drive_by_scene(shot, subject)
    else:
        key(subject, "location", {5: (1, 2, 5), 9: (50, 60, 70)})
    shot.frame_set(9)
    sampler = addon.camera.sampling.CameraSampler(shot, range(5, 10), subject=subject)
    assert sampler.subject_place is None
    render_all(sampler, 0.0)
    assert sampler.subject_place[2] == pytest.approx(2.5)
    ahead = np.eye(4)
    metres = addon.settings.subject_metres(shot.recam, shot, ahead, sampler.subject_place)
    assert metres == pytest.approx(2.5)
    with pytest.raises(addon.shared.errors.RecamError, match="behind the source camera"):
        ahead[2, 3] = 3.0
        addon.settings.subject_metres(shot.recam, shot, ahead, sampler.subject_place)


def drive_by_scene(scene, camera):
    """The camera's height becomes the scene's own frame number."""
    driver = camera.driver_add("location", 2).driver
    variable = driver.variables.new()
    variable.targets[0].id_type = "SCENE"
    variable.targets[0].id = scene
    variable.targets[0].data_path = "frame_current"
    driver.expression = variable.name


def test_a_driver_that_reads_the_scene_moves_and_unkeyed_edits_survive(bpy, addon, render_all):
    scene = bpy.context.scene
    camera = scene.camera = new_camera(bpy, "camera")
    carrier = camera.parent = new_camera(bpy, "carrier")
    drive_by_scene(scene, carrier)
    key(carrier, "rotation_euler", {1: (0, 0, 0), 10: (0, 0, 1)})
    carrier["strange.name"] = 1.0
    key_property(carrier, '["strange.name"]')
    other = new_camera(bpy, "other")
    scene.timeline_markers.new("cut", frame=1).camera = camera
    scene.frame_set(4)
    carrier.rotation_euler.x = 0.5
    carrier["strange.name"] = 7.0
    scene.camera = other
    sampler = addon.camera.sampling.CameraSampler(scene, range(1, 11))
    render_all(sampler, seconds=0.0)
    assert sampler.trajectory().poses[:, 2, 3] == pytest.approx(range(1, 11))
    bpy.context.view_layer.update()
    assert scene.frame_current == 4 and scene.camera == other
    assert carrier.rotation_euler.x == 0.5
    assert carrier["strange.name"] == 7.0
    assert carrier.location.z == 4.0


def key_property(owner, path):
    owner.keyframe_insert(path, frame=1)


def test_walking_the_real_scene_keeps_unkeyed_values_of_nla_strips_too(bpy, addon):
    scene = bpy.context.scene
    thing = new_camera(bpy, "thing")
    key(thing, "location", {1: (0, 0, 0), 20: (5, 0, 0)})
    animation = thing.animation_data
    animation.nla_tracks.new().strips.new("walk", 1, animation.action)
    animation.action = None
    scene.frame_set(5)
    thing.location.x = 77.0
    with addon.scene.unkeyed.everything_kept(scene):
        scene.frame_set(15)
        assert thing.location.x < 5
    bpy.context.view_layer.update()
    assert (thing.location.x, scene.frame_current) == (77.0, 5)


def test_a_driver_on_the_active_scenes_frame_moves(bpy, addon, render_all):
    scene = bpy.context.scene
    camera = scene.camera = new_camera(bpy, "camera")
    driver = camera.driver_add("location", 2).driver
    variable = driver.variables.new()
    variable.type = "CONTEXT_PROP"
    variable.targets[0].context_property = "ACTIVE_SCENE"
    variable.targets[0].data_path = "frame_current"
    driver.expression = variable.name
    sampler = addon.camera.sampling.CameraSampler(scene, range(1, 6))
    render_all(sampler)
    assert sampler.trajectory().poses[:, 2, 3] == pytest.approx(range(1, 6))


LENSES = [
    {},
    {"shift_x": 0.2, "shift_y": -0.1},
    {"sensor_fit": "VERTICAL", "shift_x": -0.15, "shift_y": 0.3},
    {"sensor_fit": "HORIZONTAL", "sensor_width": 24.0, "shift_y": 0.25},
]


@pytest.mark.parametrize("lens", LENSES)
@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920)])
def test_points_fall_where_blender_says(bpy, addon, render_all, lens, size):
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = size
    camera = scene.camera = new_camera(bpy, "camera", (1, 2, 3))
    camera.rotation_euler = (1.2, 0.3, -0.7)
    for name, value in lens.items():
        setattr(camera.data, name, value)
    bpy.context.view_layer.update()
    sampler = addon.camera.sampling.CameraSampler(scene, range(1, 2))
    render_all(sampler)
    point = camera.matrix_world @ Vector((0.7, 0.4, -5.0))
    blender = world_to_camera_view(scene, camera, point)
    assert project(sampler.trajectory(), point) == pytest.approx(
        (blender.x, 1 - blender.y), abs=1e-5
    )


def project(trajectory, point):
    """Fractions of the picture, from its upper left."""
    x, y, z, _ = np.linalg.inv(trajectory.poses[0]) @ [*point, 1.0]
    fx, fy, cx, cy = trajectory.lenses[0]
    return cx + fx * x / z, cy + fy * y / z


def test_pixels_that_are_not_square_widen_the_lens(bpy, addon, render_all):
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 1000, 1000
    scene.render.pixel_aspect_x = 2.0
    scene.camera = new_camera(bpy, "camera")
    sampler = addon.camera.sampling.CameraSampler(scene, range(1, 2))
    render_all(sampler)
    lens = sampler.trajectory().lenses[0]
    assert lens[1] / lens[0] == pytest.approx(2.0)


def test_the_lens_of_a_part_of_the_frame(bpy, addon, layout, render_all):
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 200, 100
    camera = scene.camera = new_camera(bpy, "camera")
    rect = addon.clip.layout.Rect(50, 0, 100, 50)
    sampler = addon.camera.sampling.CameraSampler(scene, range(1, 2), rect=rect)
    render_all(sampler)
    f = camera.data.lens / camera.data.sensor_width * 200  # pixels
    assert sampler.trajectory().lenses[0] == pytest.approx([f / 100, f / 50, 0.5, 1.0])


def test_the_unit_scale_makes_metres(bpy, addon, render_all):
    scene = bpy.context.scene
    scene.unit_settings.scale_length = 0.01
    scene.camera = new_camera(bpy, "camera", (300, 0, 0))
    sampler = addon.camera.sampling.CameraSampler(scene, range(1, 2))
    render_all(sampler)
    assert sampler.trajectory().poses[0, 0, 3] == pytest.approx(3.0)


def no_camera(bpy, scene):
    return "camera_missing", None


def orthographic(bpy, scene):
    scene.camera = new_camera(bpy, "flat")
    scene.camera.data.type = "ORTHO"
    return "camera_kind", None


def an_empty(bpy, scene):
    scene.camera = bpy.data.objects.new("empty", None)
    return "camera_kind", None


def deleted(bpy, scene):
    return "block_gone", new_camera(bpy, "gone")


@pytest.mark.parametrize("wrong", [no_camera, orthographic, an_empty, deleted])
def test_a_camera_that_cannot_be_used_is_named(bpy, addon, wrong):
    scene = bpy.context.scene
    code, camera = wrong(bpy, scene)
    sampler = addon.camera.sampling.CameraSampler(scene, range(3, 5), camera)
    if camera:
        bpy.data.objects.remove(camera)
    with pytest.raises(addon.shared.errors.RecamError) as error:
        sampler.step(1.0)
    assert error.value.code == code
    assert len(bpy.data.scenes) == 1


def test_a_scene_left_behind_by_a_crash_is_removed(bpy, addon):
    scene = bpy.context.scene
    scene.copy()[addon.scene.temporary_scene.MARK] = True
    with addon.scene.temporary_scene.temporary_scene(scene):
        assert len(bpy.data.scenes) == 2
    assert list(bpy.data.scenes) == [scene]
