"""What hinders a move is said, and nothing is keyed."""

from __future__ import annotations

import pytest


@pytest.fixture
def camera(sequence, strip, new_camera):
    """The scene's camera."""
    sequence.camera = new_camera("Camera")
    return sequence.camera


def no_camera(bpy, scene, camera):
    scene.camera = None
    return "no camera"


def held(bpy, scene, camera):
    camera.constraints.new("COPY_LOCATION")
    return "constraint “Copy Location”"


def driven(bpy, scene, camera):
    camera.driver_add("location", 0)
    return "driver"


def in_the_nla(bpy, scene, camera):
    camera.keyframe_insert("location", frame=1)
    track = camera.animation_data.nla_tracks.new()
    track.strips.new("a", 1, camera.animation_data.action)
    return "nonlinear"


def modified(bpy, scene, camera):
    camera.keyframe_insert("location", frame=1)
    package = "bl_ext.user_default.recam.versions"
    curves = __import__(package, fromlist=["curves"]).curves
    next(iter(curves(camera.animation_data))).modifiers.new("NOISE")
    return "modified"


def leaning(bpy, scene, camera):
    parent = bpy.data.objects.new("parent", None)
    scene.collection.objects.link(parent)
    parent.scale, parent.rotation_euler = (1, 2, 1), (0, 0, 0.0)
    camera.parent = parent
    return "axes|scaled|rotation"


def the_source(bpy, scene, camera):
    scene.recam.source_camera = camera
    return "shot the clip"


def behind(bpy, scene, camera):
    scene.recam.subject = subject = bpy.data.objects.new("Subject", None)
    scene.collection.objects.link(subject)
    subject.location = (3, -20, 1)
    return "behind"


WRONG = [no_camera, held, driven, in_the_nla, modified, leaning, the_source, behind]


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_keyed_is_said_and_nothing_changes(bpy, addon, sequence, camera, add, wrong):
    says = wrong(bpy, sequence, camera)
    bpy.context.view_layer.update()
    before = state(addon, camera)
    with pytest.raises(RuntimeError, match=says):
        add("orbit")
    assert state(addon, camera) == before and not sequence.recam_move.show_path


def state(addon, owner):
    """What keyframes would change of a camera, or of its lens."""
    animation = owner.animation_data
    curves = addon.versions.curves(animation) if animation else ()
    rows = [(c.data_path, [tuple(point.co) for point in c.keyframe_points]) for c in curves]
    return rows, [tuple(row) for row in getattr(owner, "matrix_basis", ())]


def test_a_lens_that_the_source_shares_is_not_keyed(addon, camera, shaken, add):
    camera.data = shaken.data
    before = state(addon, camera), state(addon, shaken.data)
    with pytest.raises(RuntimeError, match="share its lens"):
        add("smooth")
    assert (state(addon, camera), state(addon, shaken.data)) == before
    add("orbit")  # which keys no lens
    assert state(addon, shaken.data) == before[1]


def test_nothing_to_smooth_is_said(camera, add):
    with pytest.raises(RuntimeError, match="no source camera"):
        add("smooth")
    assert camera.animation_data is None


def test_without_a_strip_the_button_says_what_to_do(bpy, sequence):
    assert not bpy.ops.recam.add_move.poll()
