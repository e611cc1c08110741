"""The artist's geometry: what Blender projects is what the projection engine's take shows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.end_to_end.spots import SIZE, centroid, spot


def pixel(scene, camera, point):
    """Where Blender's own projection puts a point: x, y from the top left corner, and depth."""
    from bpy_extras.object_utils import world_to_camera_view

    x, y, depth = world_to_camera_view(scene, camera, point)
    return x * SIZE[0], (1 - y) * SIZE[1], depth


@pytest.fixture
def stage(bpy, sequence):
    render = sequence.render
    render.resolution_x, render.resolution_y = SIZE
    sequence.recam.engine = "projection"
    return sequence


@pytest.fixture
def slab(bpy, stage):
    """Adds a mesh of one quad, and puts it into the geometry."""

    def run(name, corners):
        mesh = bpy.data.meshes.new(name)
        mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
        thing = bpy.data.objects.new(name, mesh)
        stage.collection.objects.link(thing)
        geometry = stage.recam.geometry or bpy.data.collections.new("Geometry")
        if geometry.name not in stage.collection.children:
            stage.collection.children.link(geometry)
        geometry.objects.link(thing)
        stage.recam.geometry = geometry
        return thing

    return run


def test_a_point_on_the_ground_is_where_blender_projects_it(
    bpy, stage, lay, saved, slab, reshoot, take_of, pictures
):
    """A ground that passes under the camera, looked down on; the camera moves a metre."""
    from mathutils import Vector

    lay(pictures.write("blank", spot(0, 0)))
    bpy.ops.recam.set_up_camera()
    settings = stage.recam
    source, camera = settings.source_camera, settings.camera
    source.rotation_euler = camera.rotation_euler = (1.3, 0, 0.1)
    slab("ground", [(-50, -50, 0), (50, -50, 0), (50, 50, 0), (-50, 50, 0)])
    point = Vector((0.4, 5.0, 0.0))
    bpy.context.view_layer.update()
    u, v, _ = pixel(stage, source, point)
    strip = lay(pictures.write("spot", spot(u, v)), name="spot", start=11)
    for frame, x in ((11, 0.0), (15, 1.0)):
        camera.location.x = x
        camera.keyframe_insert("location", frame=frame)
    take = take_of(reshoot(), stage)
    assert "given depth" in json.loads(take["recam"])["report"]["geometry"]
    for frame in (11, 13, 15):
        stage.frame_set(frame)
        x, y, _ = pixel(stage, camera, point)
        shown = pictures.shown(stage, [frame])[0]
        assert np.hypot(*np.subtract(centroid(shown), (x, y))) < 0.7, frame
    assert strip.mute


def test_meshes_are_taken_in_and_let_go_as_they_were(bpy, stage, clip, lay):
    lay(clip)
    bpy.ops.recam.set_up_camera()
    bpy.ops.mesh.primitive_plane_add(size=20)
    ground = bpy.context.object
    ground.data.materials.append(bpy.data.materials.new("grass"))
    users = set(ground.users_collection)
    assert bpy.ops.recam.use_as_geometry() == {"FINISHED"}
    geometry = stage.recam.geometry
    assert list(geometry.objects) == [ground]
    bpy.context.view_layer.update()
    shown = ground.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    worn = {shown.materials[face.material_index].name for face in shown.polygons}
    assert worn == {"shot Projection"} and len(shown.polygons) > 1000
    assert bpy.ops.recam.release_geometry() == {"FINISHED"}
    assert stage.recam.geometry is None and not ground.modifiers
    assert set(ground.users_collection) == users
    assert [m.name for m in ground.data.materials] == ["grass"]


def seen_point(scene, source, uv, plane_point, plane_normal):
    """Where the ray through a pixel of the source camera meets a plane."""
    from mathutils import Vector
    from mathutils.geometry import intersect_line_plane

    frame = source.data.view_frame(scene=scene)
    corner, right, up = frame[2], frame[1], frame[3]  # lower left, lower right, upper left
    x, y = uv[0] / SIZE[0], 1 - uv[1] / SIZE[1]
    ahead = corner + (right - corner) * x + (up - corner) * y
    start = source.matrix_world.translation
    along = source.matrix_world @ Vector(ahead) - start
    return intersect_line_plane(start, start + along, plane_point, plane_normal)


def test_a_card_that_moves_before_a_source_camera_that_moves(
    bpy, stage, lay, saved, slab, reshoot, take_of, pictures
):
    from mathutils import Vector

    uv = (150, 90)
    lay(pictures.write("spot", spot(*uv)))
    bpy.ops.recam.set_up_camera()
    source, camera = stage.recam.source_camera, stage.recam.camera
    card = slab("card", [(-2, 0, 0), (2, 0, 0), (2, 0, 3), (-2, 0, 3)])
    slab("wall", [(-40, 20, -20), (40, 20, -20), (40, 20, 20), (-40, 20, 20)])
    camera.location.x = 0.8
    for frame, y in ((12, 4.0), (15, 6.0)):
        card.location.y = y
        card.keyframe_insert("location", frame=frame)
    for frame, x, y in ((13, 0.0, 0.0), (15, 0.3, 1.0)):
        source.location.x, source.location.y = x, y
        source.keyframe_insert("location", frame=frame)
    take_of(reshoot(), stage)
    for frame in (11, 13, 14, 15):
        stage.frame_set(frame)
        point = seen_point(stage, source, uv, card.matrix_world.translation, Vector((0, 1, 0)))
        x, y, _ = pixel(stage, camera, point)
        shown = pictures.shown(stage, [frame])[0]
        assert np.hypot(*np.subtract(centroid(shown), (x, y))) < 0.7, frame


def test_a_subject_that_moves_takes_the_plane_along(
    bpy, stage, lay, saved, reshoot, take_of, pictures
):
    from mathutils import Vector

    uv = (150, 90)
    lay(pictures.write("spot", spot(*uv)))
    bpy.ops.recam.set_up_camera()
    source, camera, subject = (
        getattr(stage.recam, name) for name in ("source_camera", "camera", "subject")
    )
    for frame, y, aside in ((11, 4.0, 0.0), (15, 8.0, 0.8)):
        subject.location.y, camera.location.x = y, aside
        for thing in (subject, camera):
            thing.keyframe_insert("location", frame=frame)
    take_of(reshoot(), stage)
    for frame in (11, 15):
        stage.frame_set(frame)
        point = seen_point(stage, source, uv, subject.matrix_world.translation, Vector((0, 1, 0)))
        x, y, _ = pixel(stage, camera, point)
        shown = pictures.shown(stage, [frame])[0]
        assert np.hypot(*np.subtract(centroid(shown), (x, y))) < 0.7, frame


def test_geometry_that_is_not_shown_is_said(bpy, stage, clip, lay, slab, reshoot, drive):
    lay(clip)
    bpy.ops.recam.set_up_camera()
    slab("ground", [(-5, -5, 0), (5, -5, 0), (5, 5, 0), (-5, 5, 0)]).hide_viewport = True
    job = drive(reshoot())
    assert job.error.code == "geometry_hidden" and "Show its objects" in job.error.hint
