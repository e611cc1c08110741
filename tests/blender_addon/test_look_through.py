"""“Look Through”: the 3D view shows the clip through the camera, and then what it showed before."""

from __future__ import annotations

import pytest

from tests.blender_fixtures import strips_of


@pytest.fixture
def view(bpy):
    """A 3D view in the window, as an artist may have it."""
    area = max(bpy.context.window.screen.areas, key=lambda area: area.width * area.height)
    kind, area.type = area.type, "VIEW_3D"
    space = area.spaces.active
    space.region_3d.view_perspective = "ORTHO"
    space.shading.type, space.shading.light, space.shading.color_type = "SOLID", "MATCAP", "OBJECT"
    yield space
    area.type = kind


def looks(space):
    shading = space.shading
    return space.region_3d.view_perspective, shading.type, shading.light, shading.color_type


@pytest.fixture
def rig(bpy, sequence, clip):
    strip = strips_of(sequence).new_movie("shot", str(clip), 2, 11)
    sequence.sequence_editor.active_strip = strip
    bpy.ops.recam.set_up_camera()
    return sequence.recam


def test_there_and_back(bpy, rig, view):
    before = looks(view)
    assert bpy.ops.recam.look_through() == {"FINISHED"}
    assert looks(view) == ("CAMERA", "SOLID", "FLAT", "TEXTURE")
    assert bpy.ops.recam.look_through() == {"FINISHED"}
    assert looks(view) == before


def test_turned_away_in_between_it_still_goes_back(bpy, rig, view):
    before = looks(view)
    bpy.ops.recam.look_through()
    view.region_3d.view_perspective = "PERSP"
    bpy.ops.recam.look_through()
    assert looks(view)[0] == "CAMERA"
    bpy.ops.recam.look_through()
    assert looks(view) == before


def test_a_rendered_view_is_rendered_again(bpy, rig, view):
    view.shading.type = "MATERIAL"
    bpy.ops.recam.look_through()
    assert looks(view) == ("CAMERA", "SOLID", "FLAT", "TEXTURE")
    bpy.ops.recam.look_through()
    assert view.shading.type == "MATERIAL"
    view.shading.type = "SOLID"
    assert looks(view)[2:] == ("MATCAP", "OBJECT")


def test_another_scene_camera_stays_the_scenes(bpy, sequence, rig, view):
    other = bpy.data.objects.new("other", bpy.data.cameras.new("other"))
    sequence.collection.objects.link(other)
    sequence.camera = other
    bpy.ops.recam.look_through()
    assert view.camera == rig.camera and sequence.camera == other
    bpy.ops.recam.look_through()
    assert not view.use_local_camera and view.camera == other


def test_without_a_camera_it_says_what_to_do(bpy, sequence, view):
    assert not bpy.ops.recam.look_through.poll()


def test_cg_over_a_take_is_lit_as_before(bpy, addon, rig, view):
    before = looks(view)
    bpy.ops.recam.look_through()
    addon.takes.cg.look_through(rig.camera, bpy.context.window.screen)
    assert looks(view) == ("CAMERA", *before[1:])
